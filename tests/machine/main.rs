//! What happens to a server, on real parts: engine, nginx, sshd and dokku of a machine in namespaces of its own. What is
//! promised is in docs/reliability.md. Needs root, and the programs of a server: `cargo test --test machine`.

mod harness;

mod engine;
mod limits;
mod people;
mod soak;
