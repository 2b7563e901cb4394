// Messages that arrive while the trainer is compiled wait here.
const early = [];
self.onmessage = e => early.push(e.data);
const fail = e => {
  // The smallest module with a SIMD instruction. A browser that takes it has what the trainer needs: then a file did not arrive whole.
  const simd = [0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 10, 1, 8, 0, 65, 0, 253, 15, 253, 98, 11];
  const old = typeof WebAssembly === "undefined" || !WebAssembly.validate(new Uint8Array(simd));
  const why = "The trainer could not start (" + (e && e.message || e) + "). ";
  self.postMessage(JSON.stringify({event: "failed", run: 0, reason: "crash", message: why + (old
    ? "It needs WebAssembly with SIMD: a current Chrome, Firefox, Safari or Edge has it."
    : "Check the connection and reload the page.")}));
};
try {
  // The smallest module with a relaxed multiply-add: a browser that takes it gets the trainer that is built with it.
  const madd = [0, 97, 115, 109, 1, 0, 0, 0, 1, 8, 1, 96, 3, 123, 123, 123, 1, 123, 3, 2, 1, 0, 10, 13, 1, 11, 0, 32, 0, 32, 1, 32, 2, 253, 133, 2, 11];
  const relaxed = WebAssembly.validate(new Uint8Array(madd));
  const [script, wasm] = relaxed
    ? ["./{{relaxed_script}}", "./{{relaxed_wasm}}"]
    : ["./{{plain_script}}", "./{{plain_wasm}}"];
  // Both at once; the wasm is compiled while it comes.
  const module_or_path = fetch(new URL(wasm, import.meta.url));
  module_or_path.catch(() => {});
  const {default: init, receive, assist} = await import(script);
  await init({module_or_path});
  // A trainer that this worker helps sends numbers; all else is of the page.
  const take = data => data.numbers ? assist(data) : receive(data);
  self.onmessage = e => take(e.data);
  for (const message of early) take(message);
} catch (e) { fail(e); }
