//! The codec against the RFCs' vectors, against a second implementation, and against hostile bytes.

mod agreement;
mod builder;
mod parser;
mod stream;
mod vectors;
