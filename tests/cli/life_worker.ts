/** A worker that works for a while, and shows it; or is blocked in a call. */
/// <reference lib="deno.worker" />
import { whileAlive } from "../../lib/cli/life.ts";

const send = (message: unknown) => self.postMessage(message);

self.onmessage = async ({ data: { pause, ms, blocks } }) => {
  send(
    await whileAlive(send, async () => {
      if (blocks) new Deno.Command("sleep", { args: ["600"] }).outputSync();
      await new Promise((resolve) => setTimeout(resolve, ms));
      return "done";
    }, pause),
  );
};
send("ready");
