// The protocol of `oneowner` for an implementation in JavaScript (Node.js 18 or later, Bun, Deno), without packages: call run.
//
// One request is served after the other: a method may be asynchronous, and the next request is read when it is done. stdout
// belongs to the protocol: run lets console.log and process.stdout.write go to stderr, so that a print left in the implementation
// does no harm; a child process must not be given this one's stdout.

import { writeSync } from "node:fs";
import { Buffer } from "node:buffer";
import process from "node:process";

const MAX_LINE = 1 << 20;
export const UNSUPPORTED = -32001, INDETERMINATE = -32002, INTERNAL = -32603;
const PARSE_ERROR = -32700, BAD_REQUEST = -32600, NO_METHOD = -32601, BAD_PARAMS = -32602;

// What a method returns to leave its call unanswered for now.
export const SUSPENDED = Symbol("suspended");

// An outcome of the system: throw new Outcome("EAGAIN").
export class Outcome extends Error {}

// An outcome of the adapter: throw new Failure(UNSUPPORTED, "why"), or INDETERMINATE, or INTERNAL.
export class Failure extends Error {
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

// Things of one sort by handle: each is given one that no other ever had.
export class Handles {
  constructor(prefix) {
    this.prefix = prefix;
    this.count = 0;
    this.things = new Map();
  }

  add(thing) {
    const handle = `${this.prefix}${++this.count}`;
    this.things.set(handle, thing);
    return handle;
  }

  // The thing of a handle; without one, the outcome `error`.
  get(handle, error) {
    if (!this.things.has(handle)) throw new Outcome(error);
    return this.things.get(handle);
  }

  remove(handle) {
    this.things.delete(handle);
  }
}

// A call under way. Keep it when SUSPENDED is returned: it is answered later with `ok` or `error`, once. A reset forgets suspended
// calls: what is said to them after it is dropped.
class Call {
  #line;
  #id;
  #era;

  constructor(line, id, operation, actor) {
    this.operation = operation;
    this.actor = actor;
    this.#line = line;
    this.#id = id;
    this.#era = line.era;
  }

  ok(answer = null) {
    this.#answer({ ok: answer });
  }

  error(name) {
    this.#answer({ error: name });
  }

  #answer(result) {
    const line = this.#line;
    if (this.#era !== line.era) return;
    if (!line.suspended.delete(this)) {
      throw new Error(`${this.operation} is answered late, but is not suspended: return its answer, or SUSPENDED`);
    }
    line.say({ id: this.#id, result });
  }
}

const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);

// Arguments by name; one that is asked for and was not given is a fault of the request.
const given = (operation, args) =>
  new Proxy(args, {
    get(all, name) {
      if (typeof name === "string" && !Object.hasOwn(all, name)) throw new Failure(BAD_PARAMS, `${operation}: ${name} is missing`);
      return all[name];
    },
  });

class Line {
  constructor(adapter) {
    this.adapter = adapter;
    this.era = 0;
    this.suspended = new Set();
  }

  // Answer a line; false after the last.
  async serve(bytes) {
    let request;
    try {
      request = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    } catch {
      this.fail(null, PARSE_ERROR, "not JSON");
      return true;
    }
    const { id, method, params } = isObject(request) ? request : {};
    if (!Number.isSafeInteger(id) || typeof method !== "string") {
      this.fail(Number.isSafeInteger(id) ? id : null, BAD_REQUEST, "a request has an integer id and a method");
      return true;
    }
    try {
      const result = await this.does(id, method, isObject(params) ? params : {});
      if (result !== SUSPENDED) this.say({ id, result });
    } catch (error) {
      if (!(error instanceof Failure)) console.error(error);
      this.fail(id, error instanceof Failure ? error.code : INTERNAL, String(error?.message ?? error));
    }
    return method !== "shutdown";
  }

  async does(id, method, params) {
    if (method === "initialize") return this.initialize(params);
    if (method === "reset") return await this.reset(params);
    if (method === "call") return await this.call(id, params);
    if (method === "settle") {
      await this.adapter.settle?.();
      return {};
    }
    if (method === "shutdown") return {};
    throw new Failure(NO_METHOD, "no such method");
  }

  initialize({ protocol }) {
    if (!Array.isArray(protocol) || !protocol.includes(1)) throw new Failure(BAD_PARAMS, "this adapter speaks protocol 1");
    const { name, version = "", profiles = [], limits = {} } = this.adapter;
    const capabilities = { settle: true, ...(this.adapter.given ? { given: true } : {}) };
    return { protocol: 1, name, version, language: "JavaScript", profiles, capabilities, limits };
  }

  async reset({ topology, given }) {
    if (!isObject(topology)) throw new Failure(BAD_PARAMS, "a reset has a topology");
    for (const [name, size] of Object.entries(topology)) {
      if (!Number.isSafeInteger(size) || size < 0) throw new Failure(BAD_PARAMS, `missing or of another type: ${name}`);
      if (size > (this.adapter.limits?.[name] ?? size)) {
        throw new Failure(UNSUPPORTED, "the topology is larger than the adapter's limits");
      }
    }
    if (this.adapter.given && !isObject(given)) throw new Failure(BAD_PARAMS, "a reset says what is given");
    this.era++;
    this.suspended.clear();
    return await this.adapter.reset(topology, given);
  }

  async call(id, { actor, op, args }) {
    if (typeof actor !== "string" || typeof op !== "string" || !isObject(args)) {
      throw new Failure(BAD_PARAMS, "a call has an actor, an op and args");
    }
    if (!Object.hasOwn(this.adapter.operations, op)) throw new Failure(UNSUPPORTED, "not supported");
    const call = new Call(this, id, op, actor);
    this.suspended.add(call);
    let answer;
    try {
      answer = await this.adapter.operations[op](call, given(op, args));
    } catch (error) {
      this.suspended.delete(call);
      if (error instanceof Outcome) return { error: error.message };
      throw error;
    }
    if (answer === SUSPENDED) return SUSPENDED;
    this.suspended.delete(call);
    if (!["undefined", "object", "string", "number", "boolean"].includes(typeof answer)) {
      throw new Error(`${op} answers a ${typeof answer}, which JSON has not`);
    }
    return { ok: answer ?? null };
  }

  fail(id, code, message) {
    this.say({ id, error: { code, message } });
  }

  say(message) {
    let data = new TextEncoder().encode(JSON.stringify({ jsonrpc: "2.0", ...message }) + "\n");
    while (data.length) {
      try {
        data = data.subarray(writeSync(1, data));
      } catch (error) {
        if (error.code === "EAGAIN") continue;
        console.error("oneowner.mjs: cannot write: the checker is gone");
        process.exit(70);
      }
    }
  }
}

// The lines that are not empty; null for one that is too long.
async function* lines(chunks) {
  let parts = [], size = 0;
  const taken = () => {
    const line = size > MAX_LINE ? null : Buffer.concat(parts);
    parts = [];
    size = 0;
    return line;
  };
  const isBlank = (line) => line !== null && line.every((byte) => byte === 32 || (byte >= 9 && byte <= 13));
  const keep = (part) => {
    size += part.length;
    if (size > MAX_LINE) parts = [];
    else parts.push(part);
  };
  for await (const chunk of chunks) {
    let start = 0;
    for (let end; (end = chunk.indexOf(10, start)) >= 0; start = end + 1) {
      keep(chunk.subarray(start, end));
      const line = taken();
      if (!isBlank(line)) yield line;
    }
    keep(chunk.subarray(start));
  }
  const last = taken();
  if (!isBlank(last)) yield last;
}

// Serve stdin until `shutdown` or its end.
export async function run(adapter) {
  process.stdout.write = process.stderr.write.bind(process.stderr);
  console.log = console.info = console.debug = console.error;
  const line = new Line(adapter);
  for await (const each of lines(process.stdin)) {
    if (each === null) line.fail(null, PARSE_ERROR, "a line has at most 1 MiB");
    else if (!(await line.serve(each))) break;
  }
  process.exit(0);
}
