/** The board by the types that Grafana publishes; Grafana itself is not here. */
import { assertEquals, assertMatch } from "@std/assert";
import { run } from "../world/program.ts";

const version = "13.2.3";
const integrity =
  "sha512-rk8FEO7yuFfRTK/JD39747SZFQ+iCTQbpm6Mh2OjnqGx/g/uQQFx56t64eCLXWEyoR68ru4cigcGKrXk+ozrLg==";
const schema = `npm:@grafana/schema@${version}`;
const lock = {
  version: "5",
  specifiers: { [schema]: version },
  npm: { [`@grafana/schema@${version}`]: { integrity } },
};

const board = Deno.readTextFileSync(
  new URL("../../docs/monitoring/dashboard.json", import.meta.url),
);

/** Where the types of a panel's options are. */
const optionTypes: Readonly<Record<string, string>> = {
  stat: "stat/panelcfg/x/StatPanelCfg_types.gen",
  table: "table/panelcfg/x/TablePanelCfg_types.gen",
  bargauge: "bargauge/panelcfg/x/BarGaugePanelCfg_types.gen",
  timeseries: "timeseries/panelcfg/x/TimeSeriesPanelCfg_types.gen",
};

/** What JSON has in place of enumerations, which are strings. */
const values = `
type Values<T> = T extends string ? \`\${T}\`
  : T extends readonly (infer One)[] ? Values<One>[]
  : T extends object ? { [Key in keyof T]: Values<T[Key]> }
  : T;
`;

/** A program whose types are right if the board fits the types of Grafana. */
function programOf(text: string): string {
  const { panels } = JSON.parse(text);
  const imports = Object.entries(optionTypes).map(([type, path]) =>
    `import type { Options as ${type} } from "${schema}/dist/esm/raw/composable/${path}";\n`
  );
  const options = panels.map((
    { id, type, options }: { id: number; type: string; options: unknown },
  ) =>
    `export const of${id}: Partial<Values<${type}>> = ${
      JSON.stringify(options)
    };\n`
  );
  return `import type { Dashboard } from "${schema}";\n${
    imports.join("")
  }${values}` +
    `export const board: Dashboard = ${text};\n${options.join("")}`;
}

/** Checks each of the programs by itself; gives the errors of each. */
async function check(programs: readonly string[]): Promise<string[]> {
  const folder = await Deno.makeTempDir({ prefix: "gitops-sync-board-" });
  const write = (name: string, text: string) =>
    Deno.writeTextFileSync(`${folder}/${name}`, text);
  try {
    write("deno.json", "{}");
    write("deno.lock", JSON.stringify(lock));
    const names = programs.map((_, i) => `board${i}.ts`);
    programs.forEach((text, i) => write(names[i]!, text));
    const { code, stderr } = await run(
      [Deno.execPath(), "check", "--frozen", "--quiet", ...names],
      { cwd: folder, env: { NO_COLOR: "1" } },
    );
    if (code === 0) return names.map(() => "");
    const errors = stderr.split(/^(?=TS\d+)/m);
    const ofName = names.map((name) =>
      errors.filter((error) => error.includes(`/${name}:`)).join("")
    );
    if (ofName.every((text) => text === "")) throw new Error(stderr);
    return ofName;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Why the types are not at hand. */
const refusal = await check([`import type {} from "${schema}";\n`]).then(
  () => null,
  (error: Error) => error.message.split("\n")[0],
);
if (refusal !== null) {
  console.log(`the board's schema is not tested here: ${refusal}`);
}

Deno.test({
  name: "the board fits the types of Grafana, and other boards do not",
  ignore: refusal !== null,
  fn: async () => {
    const wrong: readonly (readonly [from: string, to: string])[] = [
      ['"timezone"', '"timezon"'],
      ['"schemaVersion": 38', '"schemaVersion": "38"'],
      ['"w": 3', '"w": "3"'],
      ['"type": "datasource"', '"type": "source"'],
      ['"unit": "s"', '"units": "s"'],
      ['"calcs"', '"calculations"'],
      ['"displayMode": "basic"', '"displayMode": "plain"'],
    ];
    const [own, ...others] = await check([
      programOf(board),
      ...wrong.map(([from, to]) => programOf(board.replace(from, to))),
    ]);
    assertEquals(own, "");
    others.forEach((errors, i) => assertMatch(errors, /^TS\d+/, wrong[i]![1]));
  },
});

Deno.test("a board can be imported: nothing of a Grafana's own is in it", () => {
  const { id, uid, panels, templating } = JSON.parse(board);
  // With an id it would replace whatever has that id.
  assertEquals([id, uid], [undefined, "gitops-sync"]);
  const ids = panels.map((panel: { id: number }) => panel.id);
  assertEquals(ids.length, new Set(ids).size);
  assertEquals(templating.list[0].type, "datasource");
  // Each panel and target asks the data source that is chosen.
  const uids = [...board.matchAll(/"datasource": \{[^}]*"uid": "([^"]*)"/g)]
    .map(([, one]) => one);
  assertEquals(new Set(uids), new Set(["${datasource}"]));
  const areas = panels.map((panel: { gridPos: Area }) => panel.gridPos);
  const overlapping = areas.filter((a: Area, i: number) =>
    areas.slice(i + 1).some((b: Area) => overlap(a, b))
  );
  assertEquals(overlapping, []);
  assertEquals(areas.filter(({ x, w }: Area) => x + w > 24), []);
});

interface Area {
  x: number;
  y: number;
  w: number;
  h: number;
}

function overlap(a: Area, b: Area): boolean {
  return a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h &&
    b.y < a.y + a.h;
}
