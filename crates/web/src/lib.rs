//! The browser pages, embedded.
