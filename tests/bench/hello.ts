/**
 * What a run with nothing to do is measured against: the runtime's own start,
 * a greeting, and one question to the remote.
 *
 * @module
 */
const [remote, ...names] = Deno.args;
const finished = await new Deno.Command("git", {
  args: ["ls-remote", "--", remote!, ...names],
}).output();
if (finished.code !== 0) throw new Error("git ls-remote failed");
console.log("hello");
