//! A push, step by step: `Tree -> Image -> Container -> Release`.

pub mod cleanup;
pub mod deploy;
pub mod receive;
