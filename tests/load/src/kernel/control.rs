//! Ancillary data: IP_PKTINFO (which of many local addresses) and UDP_SEGMENT / UDP_GRO (how to cut).

use std::net::Ipv4Addr;

use super::{from_raw_ip, to_raw_ip};

/// Room for both control messages, aligned as `cmsghdr` wants it.
#[derive(Clone, Copy)]
#[repr(C, align(8))]
pub(super) struct Control([u8; Control::LEN]);

impl Control {
    pub(super) const LEN: usize = 64;

    pub(super) const fn new() -> Self {
        Self([0; Self::LEN])
    }

    /// Where `msg_control` points.
    pub(super) fn as_mut_ptr(&mut self) -> *mut libc::c_void {
        self.0.as_mut_ptr().cast()
    }

    /// Writes what a send needs; returns `msg_controllen`.
    pub(super) fn write(&mut self, from: Option<Ipv4Addr>, segment: u16) -> usize {
        let mut len = 0;
        if let Some(from) = from {
            let info = libc::in_pktinfo { ipi_ifindex: 0, ipi_spec_dst: to_raw_ip(from), ipi_addr: to_raw_ip(from) };
            len += self.put(len, libc::IPPROTO_IP, libc::IP_PKTINFO, info);
        }
        if segment != 0 {
            len += self.put(len, libc::SOL_UDP, libc::UDP_SEGMENT, segment);
        }
        len
    }

    fn put<T: Copy>(&mut self, at: usize, level: i32, kind: i32, value: T) -> usize {
        let size = size_of::<T>() as u32;
        // SAFETY: CMSG_SPACE and CMSG_LEN only compute sizes.
        let (space, len) = unsafe { (libc::CMSG_SPACE(size) as usize, libc::CMSG_LEN(size) as usize) };
        assert!(at + space <= Self::LEN, "control messages exceed their room");
        // SAFETY: `at` is a sum of CMSG_SPACE values, so aligned; header and value lie inside the array (asserted).
        unsafe {
            let header: *mut libc::cmsghdr = self.0.as_mut_ptr().add(at).cast();
            (*header).cmsg_len = len as _;
            (*header).cmsg_level = level;
            (*header).cmsg_type = kind;
            libc::CMSG_DATA(header).cast::<T>().write_unaligned(value);
        }
        space
    }

    /// Reads what a receive brought: local address and segment size (0: one datagram).
    pub(super) fn read(header: &libc::msghdr) -> (Ipv4Addr, usize) {
        let (mut to, mut segment) = (Ipv4Addr::UNSPECIFIED, 0);
        // SAFETY: the kernel filled `msg_control` up to `msg_controllen`; the macros stay inside it, and a value is
        // read only under the level and type that define its size.
        unsafe {
            let mut at = libc::CMSG_FIRSTHDR(header);
            while !at.is_null() {
                match ((*at).cmsg_level, (*at).cmsg_type) {
                    (libc::IPPROTO_IP, libc::IP_PKTINFO) => {
                        let info: libc::in_pktinfo = libc::CMSG_DATA(at).cast::<libc::in_pktinfo>().read_unaligned();
                        to = from_raw_ip(info.ipi_addr);
                    }
                    (libc::SOL_UDP, libc::UDP_GRO) => {
                        let size = libc::CMSG_DATA(at).cast::<libc::c_int>().read_unaligned();
                        segment = usize::try_from(size).unwrap_or(0);
                    }
                    _ => {}
                }
                at = libc::CMSG_NXTHDR(header, at);
            }
        }
        (to, segment)
    }
}
