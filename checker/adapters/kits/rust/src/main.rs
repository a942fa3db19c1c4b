//! START HERE: the adapter between `oneowner conform` and your implementation.
//!
//! 1. Build and try it as it is: `make`, then `make try`.  Every call is answered "unsupported".
//! 2. Let `reset` start your system afresh.
//! 3. Write a function for an operation and give it a line in `OPERATIONS`: create_partition and
//!    allocate are good first ones.  `oneowner show operations` lists all, with arguments and outcomes.
//! 4. `make smoke` after each one, `make conform` when several are there.
//!
//! A function looks like this one, which answers with a handle: a string that you pick, and never
//! pick again.
//!
//! ```
//! impl Mine {
//!     fn create_port(&mut self, call: &Call) -> Reply {
//!         match self.system.create_port(call.actor, call.args.str("receiver")?) {
//!             Ok(port) => ok(port),
//!             Err(name) => error(name), // "EBADF", "EISCONN", "ENOMEM"
//!         }
//!     }
//! }
//! ```
//!
//! README.md says how to answer in other ways.

#[macro_use]
mod oneowner;

use oneowner::{run, About, Adapter, Args, Error, Handles, Operation};

/// TODO: your implementation, or what reaches it.
struct Mine;

impl Adapter for Mine {
    const ABOUT: About = About {
        name: "my implementation",
        version: "",
        // TODO: the profiles that you mean to support, such as "core".
        profiles: &[],
        // TODO: the most that your system can have of a thing, such as ("partitions", 8); what is
        // not here is not limited.
        limits: &[],
    };

    const OPERATIONS: &'static [(&'static str, Operation<Self>)] = &[
        // ("create_port", Mine::create_port),
    ];

    fn reset(&mut self, _topology: &Args) -> Result<Handles, Error> {
        // TODO: forget everything, and make a new system with the sizes that were asked for:
        // _topology.int("partitions")?, ...
        Ok(vec![("SYSTEM", "p1".to_string())])
    }
}

fn main() {
    run(Mine);
}
