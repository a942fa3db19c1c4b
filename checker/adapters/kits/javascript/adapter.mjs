// START HERE: the adapter between `oneowner conform` and your implementation.
//
// 1. Try it as it is: `make try`. Every call is answered "unsupported".
// 2. Let `reset` start your system afresh.
// 3. Write an operation: create_partition and allocate are good first ones. `oneowner show operations` lists all, with arguments
//    and outcomes.
// 4. `make smoke` after each one, `make conform` when several are there.
//
// An operation looks like this one, which answers with a handle: a string that you pick, and never pick again.
//
//   create_port(call, { receiver }) {
//     const { error, port } = myCreatePort(call.actor, receiver);
//     if (error) throw new Outcome(error); // "EBADF", "EISCONN", "ENOMEM"
//     return port;
//   },
//
// README.md says how to answer in other ways.

import { run } from "./oneowner.mjs";

const operations = {
  // create_port(call, { receiver }) { ... },
};

await run({
  name: "my implementation",
  version: "",

  // TODO: the profiles that you mean to support, such as "core".
  profiles: [],

  // TODO: the most that your system can have of a thing, such as { partitions: 8 }; what is not here is not limited.
  limits: {},

  operations,

  // TODO: forget everything, and make a new system with the sizes that were asked for: topology.partitions, ...
  reset(topology) {
    return { SYSTEM: "p1" };
  },
});
