//! The `whatcart` program.

fn main() {}
