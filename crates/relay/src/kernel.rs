//! What this kernel offers: the only place of the crate with `unsafe`.
//!
//! Every call takes slices and file descriptors that are alive for its duration and keeps no pointer behind.
//! Control messages and epoll's user data are read and written as plain bytes, without `unsafe`.
#![allow(unsafe_code)]
// Some lengths are `usize` with glibc and `u32` with musl.
#![allow(clippy::unnecessary_cast)]

pub(crate) mod address;
pub(crate) mod clock;
pub(crate) mod control;
pub(crate) mod epoll;
pub(crate) mod error_queue;
pub(crate) mod limit;
pub(crate) mod receive;
pub(crate) mod ring;
pub(crate) mod send;
pub(crate) mod sockopt;
pub(crate) mod wake;

#[cfg(test)]
mod tests;
