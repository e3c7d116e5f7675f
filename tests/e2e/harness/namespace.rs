//! Networks of a test's own: kernel network namespaces without a name, which are gone with the last process and descriptor
//! in them, however the test ends.

use std::fs::File;
use std::os::fd::AsRawFd;
use std::process::{Command, Stdio};
use std::{io::Write as _, panic, thread};

use nix::sched::{CloneFlags, setns, unshare};

use super::tools::{skip, tool};

/// One network. Only who is root may make one.
pub(crate) struct Namespace(File);

impl Namespace {
    /// With its loopback interface up. `None` after saying what is skipped, when this user or machine may have none.
    pub(crate) fn new() -> Option<Self> {
        tool("ip", "iproute2")?;
        tool("nft", "nftables")?;
        let made = thread::spawn(|| unshare(CloneFlags::CLONE_NEWNET).map(|()| File::open("/proc/thread-self/ns/net")));
        match made.join().expect("no panic") {
            Ok(file) => {
                let namespace = Self(file.expect("a thread's own namespace"));
                namespace.ip("link set lo up");
                Some(namespace)
            }
            Err(error) => {
                skip(&format!("no network namespace ({error}); run as root"));
                None
            }
        }
    }

    /// Does `work` on a thread in this network. What is started there, sockets and processes alike, belongs to it.
    pub(crate) fn run<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        let name = thread::current().name().unwrap_or("a test").to_owned();
        thread::scope(|scope| {
            let inside = move || {
                setns(self.0.as_raw_fd(), CloneFlags::CLONE_NEWNET).expect("a namespace to enter");
                work()
            };
            let thread = thread::Builder::new().name(name).spawn_scoped(scope, inside).expect("a thread");
            thread.join().unwrap_or_else(|payload| panic::resume_unwind(payload))
        })
    }

    /// Runs `ip` with these arguments.
    pub(crate) fn ip(&self, arguments: &str) {
        self.tell("ip", &arguments.split(' ').collect::<Vec<_>>(), "");
    }

    /// Loads nftables rules.
    pub(crate) fn nft(&self, rules: &str) {
        self.tell("nft", &["-f", "-"], rules);
    }

    /// A cable from here to another network, with addresses such as `10.1.1.1/24` at both ends.
    pub(crate) fn cable(&self, device: &str, addresses: &[&str], other: &Self, other_device: &str, others: &[&str]) {
        // `ip` takes a path for a name: this process holds the namespace open.
        let there = format!("/proc/{}/fd/{}", std::process::id(), other.0.as_raw_fd());
        self.ip(&format!("link add {device} type veth peer name {other_device} netns {there}"));
        for (end, device, addresses) in [(self, device, addresses), (other, other_device, others)] {
            for address in addresses {
                // An IPv6 address is of no use until nobody has objected to it for a second.
                let at_once = if address.contains(':') { " nodad" } else { "" };
                end.ip(&format!("address add {address} dev {device}{at_once}"));
            }
            end.ip(&format!("link set {device} up"));
        }
    }

    /// Lets packets through from one cable to another.
    pub(crate) fn forward(&self) {
        // A thread in a network sees that network's settings.
        self.run(|| {
            for setting in ["ipv4/ip_forward", "ipv6/conf/all/forwarding"] {
                std::fs::write(format!("/proc/sys/net/{setting}"), "1").expect("a setting of this network");
            }
        });
    }

    fn tell(&self, program: &str, arguments: &[&str], input: &str) {
        self.run(|| {
            let mut command = Command::new(program);
            let mut child = command.args(arguments).stdin(Stdio::piped()).spawn().expect("the program starts");
            child.stdin.take().expect("a pipe").write_all(input.as_bytes()).expect("written");
            assert!(child.wait().expect("a child to wait for").success(), "{program} {arguments:?}");
        });
    }
}
