//! One set of features of shared dependencies, for all crates of the workspace.
//!
//! cargo turns on the features that the selected crates ask for, so `cargo test -p brainmae-signals`
//! would compile most dependencies anew after `cargo test --workspace`. Every crate has this crate
//! as a dev-dependency: any selection then has the same features, and nothing is compiled twice.
//! Published crates do not depend on it.
