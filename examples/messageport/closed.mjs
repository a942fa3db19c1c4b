// Whether the holder of a port is told that its peer has closed: node closed.mjs, bun closed.mjs, deno run -A closed.mjs

const { port1, port2 } = new MessageChannel();
port2.onmessage = ({ data }) => console.log(`message: ${data}`);
port2.addEventListener("close", () => console.log("close"));
port1.postMessage("the last one");
port1.close();
setTimeout(() => port2.close(), 100);
