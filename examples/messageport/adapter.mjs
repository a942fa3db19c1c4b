// MessageChannel and the transfer of ArrayBuffers as an implementation: a partition is what has references, a region is a buffer, a
// channel is a MessageChannel. What has arrived at a port is its holder's, and waits there until it is received.
//
// It runs on Node.js, Bun and Deno: oneowner conform "exec:node examples/messageport/adapter.mjs" --deviations
// examples/messageport/deviations.toml

import { Buffer } from "node:buffer";
import process from "node:process";
import { Outcome, run } from "../../checker/adapters/kits/javascript/oneowner.mjs";

const DATUM = 8;

let size, partitions, ports, count;

const fail = (name) => {
  throw new Outcome(name);
};

const partition = (name) => partitions.get(name) ?? fail("ESRCH");

const held = (actor, name) => {
  partition(actor);
  const port = ports.get(name);
  return port?.owner === actor ? port : fail("EBADF");
};

// A buffer to which a partition has a reference, and which is not detached.
const reached = (actor, name) => {
  const buffer = partition(actor).get(name);
  return buffer?.byteLength ? buffer : fail("EFAULT");
};

const within = (buffer, place) => (place >= 0 && place + DATUM <= buffer.byteLength ? Buffer.from(buffer, place, DATUM) : fail("EFAULT"));

const unread = (region) => [...ports.values()].some(({ inbox }) => inbox.some((message) => message.region === region));

// What is on its way has arrived, and ends are told.
const arrived = () => new Promise((done) => setTimeout(done, 1));

function made(owner, end) {
  const port = { owner, end, inbox: [], peerIsGone: false };
  end.onmessage = ({ data }) => {
    port.inbox.push(data);
    if (data.region !== null) partition(owner).set(data.region, data.buffer);
  };
  (end.addEventListener ?? end.on).call(end, "close", () => (port.peerIsGone = true));
  return port;
}

await run({
  name: "MessagePort",
  version: [process.versions.bun && "Bun", process.versions.deno && "Deno", "Node"].find(Boolean) + " "
    + (process.versions.bun ?? process.versions.deno ?? process.versions.node),
  profiles: ["transfer"],
  given: true,

  async reset(topology, given) {
    for (const { end } of ports?.values() ?? []) end.close();
    await arrived();
    size = topology.page_size * topology.pages_per_region;
    count = 0;
    partitions = new Map(given.partitions.map((name) => [name, new Map()]));
    ports = new Map();
    for (const channel of given.channels) {
      const { port1, port2 } = new MessageChannel();
      const [[one, first], [other, second]] = Object.entries(channel);
      ports.set(first, made(one, port1)).set(second, made(other, port2));
    }
    return { SYSTEM: "SYSTEM" };
  },

  settle: arrived,

  operations: {
    allocate({ actor }) {
      const handle = `buffer-${++count}`;
      partition(actor).set(handle, new ArrayBuffer(size));
      return handle;
    },

    async free({ actor }, { region }) {
      await arrived();
      const buffer = reached(actor, region);
      if (unread(region)) fail("EBUSY");
      structuredClone(buffer, { transfer: [buffer] });
    },

    async read_memory({ actor }, { region, place }) {
      await arrived();
      return within(reached(actor, region), place).toString("hex");
    },

    async write_memory({ actor }, { region, place, data }) {
      await arrived();
      within(reached(actor, region), place).set(Buffer.from(data, "hex"));
    },

    async send({ actor }, { port, region, short }) {
      await arrived();
      const { end, peerIsGone } = held(actor, port);
      if (peerIsGone) fail("EPIPE");
      const buffer = region === null ? null : reached(actor, region);
      if (buffer && unread(region)) fail("EBUSY");
      end.postMessage({ region, buffer, short }, buffer ? [buffer] : []);
    },

    async receive({ actor }, { port }) {
      await arrived();
      const { inbox, peerIsGone } = held(actor, port);
      if (!inbox.length) fail(peerIsGone ? "EPIPE" : "EAGAIN");
      const { region, short } = inbox.shift();
      return { region, short };
    },

    // Not waiting first, so that it meets what was sent just now.
    close_port({ actor }, { port }) {
      const { end, inbox } = held(actor, port);
      for (const { region, buffer } of inbox) if (region !== null) structuredClone(buffer, { transfer: [buffer] });
      end.close();
      ports.delete(port);
    },
  },
});
