//! Hostile input, from the corpus in `tests/fixtures/hostile`: whatever it says, nothing outside its place is touched,
//! no program is started from it, nothing panics, and what is wrong is refused in a line and with a code.

#[path = "../sandbox/mod.rs"]
mod sandbox;

mod archives;
mod certificates;
mod checks;
mod config;
mod corpus;
mod docker_options;
mod domains;
mod fort;
mod keys;
mod names;
mod pushes;
mod sessions;
mod sources;
mod templates;
