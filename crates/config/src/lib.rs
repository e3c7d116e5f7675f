//! One TOML file in the operator's words; precise complaints.
