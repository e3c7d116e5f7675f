//! Every metric's name and help text, in one place. Labels come from fixed lists only, never from clients.

use std::fmt;

use posthouse_edge::{Expiry, Stats as Edge};
use posthouse_relay::{Flow, WorkerStats};
use posthouse_rooms::Tally;
use posthouse_signaling::Stats as Signaling;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{DescriptorEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Registry;

/// The text of one scrape.
pub(crate) fn text(
    workers: &[WorkerStats],
    signaling: &Signaling,
    tallies: Vec<(&'static str, Tally)>,
    edge: &Edge,
    expiries: &[Expiry],
    reloads: [(&'static str, u64); 2],
    webhooks: [(&'static str, u64); 3],
) -> String {
    let mut registry = Registry::with_prefix("posthouse");
    registry.register_collector(Box::new(Scrape {
        workers: workers.to_vec(),
        signaling: *signaling,
        tallies,
        edge: *edge,
        expiries: expiries.to_vec(),
        reloads,
        webhooks,
    }));
    let mut text = String::new();
    encode(&mut text, &registry).expect("a String takes any text");
    text
}

/// Connections that were closed before they were handed on, by reason.
pub(crate) fn edge_refusals(e: &Edge) -> [(&'static str, u64); 11] {
    [
        ("descriptors", e.refused_descriptors),
        ("source", e.refused_source),
        ("http", e.refused_http),
        ("silent", e.refused_silent),
        ("gone", e.gone),
        ("untrusted_proxy", e.refused_untrusted),
        ("proxy_header", e.refused_proxy_header),
        ("no_certificate", e.refused_no_certificate),
        ("handshake", e.handshakes_failed),
        ("slow_handshake", e.handshakes_timed_out),
        ("not_turn", e.refused_not_turn),
    ]
}

/// Requests and messages that signaling refused, by reason.
pub(crate) fn signaling_refusals(s: &Signaling) -> [(&'static str, u64); 7] {
    [
        ("queue", s.queue_overflows),
        ("rate", s.refused_rate),
        ("origin", s.refused_origin),
        ("host", s.refused_host),
        ("sockets", s.refused_sockets),
        ("rooms", s.refused_rooms),
        ("http", s.http_errors),
    ]
}

/// One figure of a worker.
type OfWorker<T> = fn(&WorkerStats) -> T;

/// One moment's figures.
#[derive(Debug)]
struct Scrape {
    workers: Vec<WorkerStats>,
    signaling: Signaling,
    /// By dialect, of all that there are.
    tallies: Vec<(&'static str, Tally)>,
    edge: Edge,
    expiries: Vec<Expiry>,
    reloads: [(&'static str, u64); 2],
    webhooks: [(&'static str, u64); 3],
}

impl Collector for Scrape {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut page = Page(encoder);
        self.reloads(&mut page)?;
        self.relay_now(&mut page)?;
        self.relay_rules(&mut page)?;
        self.relay_packets(&mut page)?;
        self.relay_kernel(&mut page)?;
        self.relay_streams(&mut page)?;
        self.relay_data_connections(&mut page)?;
        self.edge(&mut page)?;
        self.rooms(&mut page)?;
        self.dialects(&mut page)?;
        self.signaling(&mut page)
    }
}

impl Scrape {
    fn reloads(&self, page: &mut Page<'_>) -> fmt::Result {
        page.family("config_reloads", "Times the configuration was read again, by outcome", "outcome", self.reloads)
    }

    fn relay_now(&self, page: &mut Page<'_>) -> fmt::Result {
        page.gauge("relay_allocations", "Allocations now", self.sum(|w| w.allocations))?;
        page.gauge("relay_sockets", "Relayed sockets now", self.sum(|w| w.relayed_sockets))?;
        page.gauge("relay_workers", "Worker threads", self.workers.len() as u64)?;
        page.counter("relay_worker_restarts", "Workers that began anew after a panic", self.sum(|w| w.restarts))
    }

    fn relay_rules(&self, page: &mut Page<'_>) -> fmt::Result {
        page.family(
            "relay_requests",
            "Requests by method",
            "method",
            self.added(|w| w.turn.requests.iter().collect()),
        )?;
        page.family(
            "relay_refusals",
            "Error answers by reason",
            "reason",
            self.added(|w| w.turn.refusals.iter().collect()),
        )?;
        page.family(
            "relay_drops",
            "Packets dropped unanswered, by reason",
            "reason",
            self.added(|w| w.turn.drops.iter().collect()),
        )?;
        let created = self.sum(|w| w.turn.allocations_created);
        page.counter("relay_allocations_created", "Allocations that came to be", created)?;
        let reported = self.sum(|w| w.turn.icmp_reported);
        page.counter("relay_icmp_reported", "ICMP errors of relayed packets that clients were told of", reported)?;
        let [up, down] = [self.sum(|w| w.turn.forwarded.bytes), self.sum(|w| w.turn.wrapped.bytes)];
        page.family(
            "relay_payload_bytes",
            "Bytes of payload relayed",
            "direction",
            [("to_peer", up), ("to_client", down)],
        )?;
        let [up, down] = [self.sum(|w| w.turn.forwarded.packets), self.sum(|w| w.turn.wrapped.packets)];
        page.family("relay_payload_packets", "Packets relayed", "direction", [("to_peer", up), ("to_client", down)])
    }

    fn relay_packets(&self, page: &mut Page<'_>) -> fmt::Result {
        let flows: [(&str, OfWorker<Flow>); 5] = [
            ("from_clients", |w| w.counters.from_clients),
            ("from_peers", |w| w.counters.from_peers),
            ("to_clients", |w| w.counters.to_clients),
            ("to_peers", |w| w.counters.to_peers),
            ("in_process", |w| w.counters.in_process),
        ];
        let packets = flows.map(|(name, of)| (name, self.sum(|w| of(w).packets)));
        page.family("relay_datagrams", "Datagrams by way", "way", packets)?;
        let bytes = flows.map(|(name, of)| (name, self.sum(|w| of(w).bytes)));
        page.family("relay_datagram_bytes", "Bytes of datagrams by way", "way", bytes)
    }

    fn relay_kernel(&self, page: &mut Page<'_>) -> fmt::Result {
        let errors = [
            ("full", self.sum(|w| w.counters.send_errors.full)),
            ("forbidden", self.sum(|w| w.counters.send_errors.forbidden)),
            ("unreachable", self.sum(|w| w.counters.send_errors.unreachable)),
            ("too_long", self.sum(|w| w.counters.send_errors.too_long)),
            ("refused", self.sum(|w| w.counters.send_errors.refused)),
            ("invalid", self.sum(|w| w.counters.send_errors.invalid)),
            ("other", self.sum(|w| w.counters.send_errors.other)),
        ];
        page.family("relay_send_errors", "Packets the kernel did not send, by reason", "reason", errors)?;
        let overflows = [
            ("listener", self.sum(|w| w.counters.listener_overflow)),
            ("relayed", self.sum(|w| w.counters.relayed_overflow)),
        ];
        page.family("relay_receive_overflow", "Datagrams lost to full receive buffers", "socket", overflows)?;
        page.counter(
            "relay_bind_errors",
            "Relayed sockets that could not be bound",
            self.sum(|w| w.counters.bind_errors),
        )
    }

    fn relay_streams(&self, page: &mut Page<'_>) -> fmt::Result {
        page.gauge("relay_streams", "TURN connections over TCP and TLS now", self.sum(|w| w.streams))?;
        let of: [(&str, OfWorker<u64>); 9] = [
            ("by_client", |w| w.counters.streams.closed.by_client),
            ("reset", |w| w.counters.streams.closed.reset),
            ("broken", |w| w.counters.streams.closed.broken),
            ("tls", |w| w.counters.streams.closed.tls),
            ("silent", |w| w.counters.streams.closed.silent),
            ("idle", |w| w.counters.streams.closed.idle),
            ("stalled", |w| w.counters.streams.closed.stalled),
            ("flooded", |w| w.counters.streams.closed.flooded),
            ("replaced", |w| w.counters.streams.closed.replaced),
        ];
        let closed = of.map(|(reason, of)| (reason, self.sum(of)));
        page.family("relay_streams_closed", "TURN connections that ended, by reason", "reason", closed)?;
        let dropped = self.sum(|w| w.counters.streams.dropped);
        page.counter("relay_stream_drops", "Relayed packets that slow stream clients cost", dropped)
    }

    /// TCP allocations (RFC 6062).
    fn relay_data_connections(&self, page: &mut Page<'_>) -> fmt::Result {
        let now = self.sum(|w| w.data_connections);
        page.gauge("relay_data_connections", "Peer data connections of TCP allocations now", now)?;
        page.family(
            "relay_peer_connections",
            "Peer data connections of TCP allocations by what became of them",
            "event",
            self.added(|w| w.turn.connections.iter().collect()),
        )?;
        let of: [(&str, OfWorker<u64>); 2] = [
            ("to_peer", |w| w.counters.data_connections.to_peers.bytes),
            ("to_client", |w| w.counters.data_connections.to_clients.bytes),
        ];
        let bytes = of.map(|(direction, of)| (direction, self.sum(of)));
        page.family("relay_data_connection_bytes", "Bytes moved over data connections", "direction", bytes)?;
        let paused = self.sum(|w| w.counters.data_connections.paused);
        page.counter("relay_data_connection_pauses", "Times that data connections waited for bandwidth", paused)
    }

    fn edge(&self, page: &mut Page<'_>) -> fmt::Result {
        let e = &self.edge;
        page.counter("edge_connections", "TCP connections accepted for TURN, TLS and the one port", e.accepted)?;
        page.counter("edge_handshakes", "TLS handshakes completed", e.handshakes)?;
        let became = [
            ("turn_plain", e.turn_plain),
            ("turn_tls", e.turn_tls),
            ("http_plain", e.http_plain),
            ("http_tls", e.http_tls),
            ("redirected", e.redirected),
        ];
        page.family("edge_handed_on", "What connections turned out to be", "as", became)?;
        let refused = edge_refusals(e);
        page.family("edge_refusals", "Connections closed before they were handed on, by reason", "reason", refused)?;
        let help = "Whole days that a certificate is still good";
        let mut days = page.0.encode_descriptor("edge_certificate_days_left", help, None, MetricType::Gauge)?;
        for expiry in &self.expiries {
            let certificate = expiry.certificate.display().to_string();
            days.encode_family(&[("certificate", certificate)])?.encode_gauge(&expiry.days_left)?;
        }
        Ok(())
    }

    fn rooms(&self, page: &mut Page<'_>) -> fmt::Result {
        let s = &self.signaling;
        page.gauge("rooms", "Rooms now", s.rooms)?;
        let kinds = [("collider", s.rooms.saturating_sub(s.meetings)), ("v1", s.meetings)];
        page.gauges("rooms_by_dialect", "Rooms now, by the protocol they are made in", "dialect", kinds)?;
        page.gauge("room_members", "Members of rooms now", s.members)?;
        let joins = [("success", s.joins), ("full", s.joins_full), ("failed", s.joins_failed)];
        page.family("room_joins", "Joins by result", "result", joins)
    }

    fn dialects(&self, page: &mut Page<'_>) -> fmt::Result {
        let of =
            |figure: fn(&Tally) -> usize| self.tallies.iter().map(move |(name, tally)| (*name, figure(tally) as u64));
        let identities = of(|tally| tally.identities);
        page.gauges(
            "signaling_identities",
            "Names that are owned or waited for now, by dialect",
            "dialect",
            identities,
        )?;
        let waiting = of(|tally| tally.waiting);
        page.gauges("signaling_mailbox_bytes", "Bytes that wait for those names now, by dialect", "dialect", waiting)?;
        let topics = of(|tally| tally.topics);
        page.gauges("signaling_topics", "Topics and rooms of other dialects now, by dialect", "dialect", topics)
    }

    fn signaling(&self, page: &mut Page<'_>) -> fmt::Result {
        let s = &self.signaling;
        page.gauge("signaling_websockets", "WebSockets now", s.sockets)?;
        page.counter("signaling_websockets_opened", "WebSockets opened", s.sockets_opened)?;
        page.counter("signaling_connections", "TCP connections accepted", s.connections)?;
        page.counter("signaling_messages", "Messages members sent", s.messages)?;
        page.counter("signaling_deliveries", "Frames written to WebSockets", s.deliveries)?;
        let closed = [("slow_reader", s.slow_readers), ("dead", s.dead_sockets), ("rule", s.socket_errors)];
        page.family("signaling_websockets_closed", "WebSockets closed by the server, by reason", "reason", closed)?;
        let refused = signaling_refusals(s);
        page.family("signaling_refusals", "Requests and messages refused, by reason", "reason", refused)?;
        page.family("webhook_events", "Events for webhooks by outcome", "outcome", self.webhooks)
    }

    fn sum(&self, of: impl Fn(&WorkerStats) -> u64) -> u64 {
        self.workers.iter().map(of).sum()
    }

    /// Lists of named counters, added over the workers.
    fn added(&self, of: impl Fn(&WorkerStats) -> Vec<(&'static str, u64)>) -> Vec<(&'static str, u64)> {
        let mut lists = self.workers.iter().map(of);
        let mut added = lists.next().unwrap_or_default();
        for list in lists {
            for (sum, (_, value)) in added.iter_mut().zip(list) {
                sum.1 += value;
            }
        }
        added
    }
}

/// The page that is being written.
struct Page<'e>(DescriptorEncoder<'e>);

impl Page<'_> {
    fn gauge(&mut self, name: &str, help: &str, value: u64) -> fmt::Result {
        self.0.encode_descriptor(name, help, None, MetricType::Gauge)?.encode_gauge(&value)
    }

    fn counter(&mut self, name: &str, help: &str, value: u64) -> fmt::Result {
        let mut metric = self.0.encode_descriptor(name, help, None, MetricType::Counter)?;
        metric.encode_counter::<NoLabelSet, _, u64>(&value, None)
    }

    /// Gauges that differ in one label.
    fn gauges(
        &mut self,
        name: &str,
        help: &str,
        label: &str,
        values: impl IntoIterator<Item = (&'static str, u64)>,
    ) -> fmt::Result {
        let mut metric = self.0.encode_descriptor(name, help, None, MetricType::Gauge)?;
        for (of, value) in values {
            metric.encode_family(&[(label, of)])?.encode_gauge(&value)?;
        }
        Ok(())
    }

    /// Counters that differ in one label.
    fn family(
        &mut self,
        name: &str,
        help: &str,
        label: &str,
        values: impl IntoIterator<Item = (&'static str, u64)>,
    ) -> fmt::Result {
        let mut metric = self.0.encode_descriptor(name, help, None, MetricType::Counter)?;
        for (of, value) in values {
            metric.encode_family(&[(label, of)])?.encode_counter::<NoLabelSet, _, u64>(&value, None)?;
        }
        Ok(())
    }
}
