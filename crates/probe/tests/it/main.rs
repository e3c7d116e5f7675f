//! The probe against servers that are not ours: Debian's coturn on loopback, and liars of a few lines.

mod coturn;
mod laws;
mod liars;
