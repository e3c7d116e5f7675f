//! The edge from outside: real sockets on loopback, rustls as the client.

mod certificates;
mod descriptors;
mod drain;
mod first_byte;
mod limits;
mod proxy;
mod tls;
mod world;
