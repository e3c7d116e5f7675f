// Which way sound and picture go: the selected candidate pair, from `getStats`.

/**
 * The path in use, or null: `{relayed, protocol, local, remote, milliseconds, received, sent}`.
 * `protocol` is how this side speaks to its relay ("UDP", "TCP", "TLS"), where the browser says so;
 * `received` and `sent` are bytes so far.
 */
export async function selectedPath(pc) {
  const stats = await pc.getStats();
  const pair = selectedPair(stats);
  const local = stats.get(pair?.localCandidateId);
  const remote = stats.get(pair?.remoteCandidateId);
  if (!local || !remote) return null;
  return {
    relayed: local.candidateType === 'relay' || remote.candidateType === 'relay',
    protocol: local.relayProtocol?.toUpperCase() ?? '',
    local: local.candidateType,
    remote: remote.candidateType,
    milliseconds: Math.round((pair.currentRoundTripTime ?? 0) * 1000),
    received: pair.bytesReceived ?? 0,
    sent: pair.bytesSent ?? 0,
  };
}

/** The report of the pair in use. Firefox has no transport report that names the pair; it marks the pair itself. */
export function selectedPair(stats) {
  const reports = [...stats.values()];
  const transport = reports.find((report) => report.type === 'transport' && report.selectedCandidatePairId);
  if (transport) return stats.get(transport.selectedCandidatePairId);
  const pairs = reports.filter((report) => report.type === 'candidate-pair');
  return pairs.find((pair) => pair.selected) ?? pairs.find((pair) => pair.nominated && pair.state === 'succeeded');
}
