// A small internet of network namespaces: a public segment, a server on it, and clients at home behind their NATs.
//
//            11.1.1.0/24, a bridge in the namespace "net"
//     ┌───────────┬─────────────┬─────────────┐
//  server        nat1          nat2         (open clients sit here too)
//  11.1.1.10   11.1.1.21     11.1.1.22
//              10.1.1.1      10.1.2.1
//                 │             │
//              client1       client2
//              10.1.1.2      10.1.2.2
//
// The public addresses are none of the documentation networks, because a relay rightly refuses to relay to those.
// Names are `ph-PID-...`: unique while this process lives, and recognisable as left over when it does not.

import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isLeftover, PREFIX } from './folder.mjs';

export const SERVER_ADDRESS = '11.1.1.10';

/** What each kind of NAT does to an outgoing packet, as an nftables statement. */
const TRANSLATION = {
  // A new port for every destination: no peer can be told where to send.
  symmetric: 'masquerade random,fully-random',
  // The client's own port for every destination; packets come in from peers it has sent to.
  cone: 'masquerade',
};

const NETNS = '/run/netns';

/** `ip netns exec NS` shows the files of this folder's `NS` in `/etc`. */
const NETNS_ETC = '/etc/netns';

export class Network {
  #names = [];
  /** How often each client moved. */
  #moves = new Map();
  #stop = () => this.remove();

  /** `kinds`: one of "symmetric", "cone", "open" for each client. */
  constructor(kinds = []) {
    removeLeftovers();
    process.once('exit', this.#stop);
    for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, exitOn);
    try {
      this.#build(kinds);
    } catch (error) {
      this.remove();
      throw error;
    }
  }

  get server() {
    return this.#name('server');
  }

  /** The namespace of client 1, 2, ... */
  client(number) {
    return this.#name(`client${number}`);
  }

  /** Pulls the plug of a client, without a goodbye on any connection, or puts it back. */
  plug(number, state) {
    ip('-n', this.client(number), 'link', 'set', 'lan', state);
    if (state === 'up') ip('-n', this.client(number), 'route', 'replace', 'default', 'via', `10.1.${number}.1`);
  }

  /**
   * Brings a client's device into another network: another address for it, and another one for the NAT before it. What it had open gets
   * no answer any more. The addresses are of use to tell paths before from paths after.
   */
  move(number) {
    const [client, nat] = [this.client(number), this.#name(`nat${number}`)];
    const moves = this.#moves.get(number) ?? 0;
    const addresses = (moves) => ({ home: `10.1.${number}.${2 + moves}`, seen: `11.1.1.${20 + number + 40 * moves}` });
    const [before, after] = [addresses(moves), addresses(moves + 1)];
    this.#moves.set(number, moves + 1);
    for (const [name, device, from, to] of [[client, 'lan', before.home, after.home], [nat, 'wan', before.seen, after.seen]]) {
      ip('-n', name, 'address', 'delete', `${from}/24`, 'dev', device);
      ip('-n', name, 'address', 'add', `${to}/24`, 'dev', device);
    }
    ip('-n', client, 'route', 'replace', 'default', 'via', `10.1.${number}.1`);
    return after;
  }

  /** Tells a client the server's name, as its resolver would. Only for what is started afterwards. */
  name(number, host) {
    const folder = join(NETNS_ETC, this.client(number));
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'hosts'), `127.0.0.1 localhost\n${SERVER_ADDRESS} ${host}\n`);
    // Whatever else is asked for is refused at once: a name server behind a firewall would be waited for.
    writeFileSync(join(folder, 'resolv.conf'), 'nameserver 127.0.0.1\n');
  }

  /** A firewall before a client's NAT that lets out only what `allowed` matches, an nftables expression, and counts the rest. */
  firewall(number, allowed) {
    const rules = `
      table ip firewall {
        counter stopped { }
        chain forward {
          type filter hook forward priority filter - 10;
          iifname "wan" accept
          ${allowed} accept
          counter name stopped drop
        }
      }`;
    this.run(this.#name(`nat${number}`), ['nft', '-f', '-'], rules);
  }

  /** How many packets the client's firewall has stopped. */
  stopped(number) {
    const told = this.run(this.#name(`nat${number}`), ['nft', 'list', 'counter', 'ip', 'firewall', 'stopped']);
    return Number(/packets (\d+)/.exec(told)[1]);
  }

  /** Removes the namespaces, and what still runs in them. Safe to call twice. */
  remove() {
    process.removeListener('exit', this.#stop);
    for (const name of this.#names.splice(0).reverse()) removeNamespace(name);
  }

  #build(kinds) {
    this.#namespace('net');
    ip('-n', this.#name('net'), 'link', 'add', 'segment', 'type', 'bridge');
    ip('-n', this.#name('net'), 'link', 'set', 'segment', 'up');
    this.#namespace('server');
    this.#attach('server', 'wan', `${SERVER_ADDRESS}/24`);
    kinds.forEach((kind, index) => this.#addClient(index + 1, kind));
  }

  #addClient(number, kind) {
    const client = `client${number}`;
    this.#namespace(client);
    if (kind === 'open') {
      this.#attach(client, 'lan', `11.1.1.${30 + number}/24`);
      return;
    }
    const nat = `nat${number}`;
    this.#namespace(nat);
    this.#attach(nat, 'wan', `11.1.1.${20 + number}/24`);
    this.#link(nat, 'lan', client, 'lan');
    this.#address(nat, 'lan', `10.1.${number}.1/24`);
    this.#address(client, 'lan', `10.1.${number}.2/24`);
    ip('-n', this.#name(client), 'route', 'add', 'default', 'via', `10.1.${number}.1`);
    this.#translate(nat, kind);
  }

  /**
   * The NAT and its firewall. A peer's packet that comes before this side has sent is *dropped*: refused or delivered to
   * the NAT itself, it would take the port in connection tracking, and a cone NAT would look symmetric.
   */
  #translate(nat, kind) {
    this.run(this.#name(nat), ['sysctl', '-qw', 'net.ipv4.ip_forward=1']);
    const rules = `
      table ip home {
        chain postrouting { type nat hook postrouting priority srcnat; oifname "wan" ${TRANSLATION[kind]}; }
        chain forward {
          type filter hook forward priority filter; policy drop;
          iifname "lan" accept
          ct state established,related accept
        }
        chain input { type filter hook input priority filter; policy drop; iifname { "lan", "lo" } accept; }
      }`;
    this.run(this.#name(nat), ['nft', '-f', '-'], rules);
  }

  /** Runs a command in a namespace and returns what it says. */
  run(namespace, command, input = '') {
    return execFileSync('ip', ['netns', 'exec', namespace, ...command], { input, encoding: 'utf8', stdio: 'pipe' });
  }

  #namespace(role) {
    const name = this.#name(role);
    ip('netns', 'add', name);
    this.#names.push(name);
    ip('-n', name, 'link', 'set', 'lo', 'up');
    // An IPv6 address that becomes usable a second late is a change of network to Chromium: it drops what it is loading.
    this.run(name, ['sysctl', '-qw', 'net.ipv6.conf.default.accept_dad=0']);
  }

  /** A cable from `role` to the public segment. */
  #attach(role, device, address) {
    this.#link(role, device, 'net', role);
    ip('-n', this.#name('net'), 'link', 'set', role, 'master', 'segment');
    this.#address(role, device, address);
  }

  #link(role, device, other, otherDevice) {
    ip('link', 'add', device, 'netns', this.#name(role), 'type', 'veth', 'peer', 'name', otherDevice, 'netns', this.#name(other));
    ip('-n', this.#name(other), 'link', 'set', otherDevice, 'up');
    ip('-n', this.#name(role), 'link', 'set', device, 'up');
  }

  #address(role, device, address) {
    ip('-n', this.#name(role), 'address', 'add', address, 'dev', device);
  }

  #name(role) {
    return `${PREFIX}-${process.pid}-${role}`;
  }
}

function removeLeftovers() {
  if (existsSync(NETNS)) for (const name of readdirSync(NETNS)) if (isLeftover(name)) removeNamespace(name);
  if (existsSync(NETNS_ETC)) for (const name of readdirSync(NETNS_ETC)) if (isLeftover(name)) removeEtc(name);
}

/** Only processes that were started inside the namespace are in it: ours. */
function removeNamespace(name) {
  for (const pid of ip('netns', 'pids', name).split('\n').filter(Boolean)) {
    try {
      process.kill(Number(pid), 'SIGKILL');
    } catch {
      // It ended by itself.
    }
  }
  ip('netns', 'delete', name);
  removeEtc(name);
}

function removeEtc(name) {
  rmSync(join(NETNS_ETC, name), { recursive: true, force: true });
}

/** Leads to the `exit` event, which removes the namespaces. */
function exitOn(signal) {
  process.exit(signal === 'SIGINT' ? 130 : 143);
}

function ip(...args) {
  return execFileSync('ip', args, { encoding: 'utf8', stdio: 'pipe' });
}
