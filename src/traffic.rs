//! The workload: who visits when, what each visit does, and how much work its requests are.

pub mod workload;
