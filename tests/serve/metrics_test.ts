import { assertEquals } from "@std/assert";
import { answerMetrics } from "../../lib/serve/metrics.ts";

Deno.test("metrics are those that the last run wrote", async () => {
  const folder = await Deno.makeTempDir();
  const file = `${folder}/gitops-sync.prom`;
  const ask = async (method = "GET") => {
    const request = new Request("http://localhost/metrics", { method });
    const answer = await answerMetrics(file, request);
    return [answer.status, await answer.text()];
  };
  const says = (message: string) => JSON.stringify({ message });
  assertEquals(await ask(), [503, says("no run has written metrics yet")]);
  await Deno.writeTextFile(file, "a 1\n");
  assertEquals(await ask(), [200, "a 1\n"]);
  await Deno.writeTextFile(`${folder}/gitops-sync-check.prom`, "b 2\n");
  assertEquals(await ask(), [200, "a 1\nb 2\n"]);
  assertEquals(await ask("POST"), [405, says("expected GET")]);
  // What never ends, and what is too long, is no file of metrics.
  const odd = says("the file of metrics.textfile can't be read");
  await Deno.truncate(file, 2 * 1024 * 1024);
  assertEquals(await ask(), [503, odd]);
  await Deno.remove(file);
  await Deno.symlink("/dev/zero", file);
  assertEquals(await ask(), [503, odd]);
  await Deno.remove(folder, { recursive: true });
});
