//! End to end on real parts: the installed dokku, the Docker engine, nginx, sshd and git of this machine.
//! `scripts/test` installs what these stories need and runs them; they need root.

mod harness;

mod buildpacks;
mod docker_clients;
mod dockerfile;
mod failing;
mod installing;
mod life;
mod pushing;
mod serving;
mod third_party;
mod unable;
