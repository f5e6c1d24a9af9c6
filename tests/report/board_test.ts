import { assert, assertEquals } from "@std/assert";
import { has } from "../notify/programs.ts";
import { boardSvg, linesOf, panels, prometheusWithFleet } from "./board.ts";

const ignore = !(await has("prometheus") && await has("promtool"));

Deno.test({
  name: "each panel of the board shows what Prometheus has",
  ignore,
  fn: async () => {
    const place = await Deno.makeTempDir({ prefix: "gitops-sync-board-" });
    {
      await using prometheus = await prometheusWithFleet(place);
      for (const panel of panels()) {
        const lines = await linesOf(prometheus, panel);
        assert(lines.length > 0, `${panel.title} shows nothing`);
        for (const { legend, points } of lines) {
          assert(legend.trim() !== "", `${panel.title} has no legend`);
          assert(points.every(([, value]) => Number.isFinite(value)));
        }
      }
      // Versions of Prometheus differ in the last digits.
      const picture = new URL(
        "../../docs/monitoring/board.svg",
        import.meta.url,
      );
      const titles = (svg: string) => svg.match(/"bold">[^<]+</g);
      assertEquals(
        titles(await Deno.readTextFile(picture)),
        titles(await boardSvg(prometheus)),
        "draw it anew: ./dev shell deno run -A tests/report/board.ts",
      );
    }
    await Deno.remove(place, { recursive: true });
  },
});
