//! Where streams arrive: accepts TCP, ends TLS, tells TURN from HTTP, hands on.
#![forbid(unsafe_code)]
