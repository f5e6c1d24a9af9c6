/**
 * The board of docs/monitoring, shown without Grafana: its panels ask a real
 * Prometheus, which has a day of a small fleet, and are drawn as SVG.
 *
 *     deno run -A tests/report/board.ts     writes docs/monitoring/board.svg
 *
 * @module
 */
import { Server } from "../notify/programs.ts";
import { output } from "../world/program.ts";

const folder = new URL("../../docs/monitoring/", import.meta.url).pathname;

/** A panel as the board has it. */
export interface Panel {
  type: string;
  title: string;
  gridPos: { x: number; y: number; w: number; h: number };
  targets: { expr: string; legendFormat: string; format?: string }[];
  fieldConfig: { defaults: { unit: string } };
}

/** One line of a panel: its legend, and values by time in seconds. */
interface Line {
  legend: string;
  points: [number, number][];
}

const end = Date.parse("2026-11-26T22:00:00Z") / 1000;
const day = 24 * 3600;
const step = 300;

/** The panels of the board. */
export function panels(): Panel[] {
  return JSON.parse(Deno.readTextFileSync(`${folder}dashboard.json`)).panels;
}

/** A day of three hosts, one of which fails for some hours. */
function fleet(): string {
  const lines: Record<string, string[]> = {};
  const add = (name: string, labels: string, value: number, at: number) => {
    (lines[name] ??= []).push(`${name}{${labels}} ${value} ${at}`);
  };
  const p = "gitops_sync_";
  for (const [i, host] of ["db-1", "web-1", "web-2"].entries()) {
    const own = `instance="${host}"`;
    for (let at = end - day; at <= end; at += step) {
      const hour = (at - end + day) / 3600;
      const isBad = i === 1 && hour > 9 && hour < 14;
      const since = i === 1 && isBad ? (hour - 9) * 3600 : 0;
      add(`${p}build_info`, `${own},version="1.0.0"`, 1, at);
      add(
        `${p}revision_info`,
        `${own},revision="${"4e1a9b07".repeat(5)}",ref="main"`,
        1,
        at,
      );
      add(`${p}behind_seconds`, own, since, at);
      add(`${p}held`, own, isBad ? 1 : 0, at);
      add(`${p}approval_wanted`, own, i === 0 && hour > 18 ? 1 : 0, at);
      add(`${p}suspended`, own, i === 2 && hour > 20 ? 1 : 0, at);
      // One host waits for a gate in the end, and two switch one after the other.
      const isClosed = i === 1 && hour > 21;
      add(`${p}gate_open`, `${own},gate="soak"`, isClosed ? 0 : 1, at);
      if (isClosed) {
        const since = end - 3 * 3600;
        add(
          `${p}gate_since_timestamp_seconds`,
          `${own},gate="soak"`,
          since,
          at,
        );
      }
      const begins = 14 + i;
      const holds = i < 2 && hour > begins && hour <= begins + 1;
      add(`${p}slot_held`, own, holds ? 1 : 0, at);
      add(`${p}slot_stuck`, own, 0, at);
      if (i === 1 && hour > 14 && hour <= 15) {
        const since = end - 10 * 3600;
        add(`${p}slot_wanted_timestamp_seconds`, own, since, at);
      }
      add(`${p}needs_reboot`, own, i === 0 ? 1 : 0, at);
      add(`${p}needs_person`, own, 0, at);
      add(`${p}last_check_timestamp_seconds`, own, at - (at % 1800), at);
      add(
        `${p}attempts_total`,
        `${own},result="deployed"`,
        Math.floor(hour / 5),
        at,
      );
      add(
        `${p}attempts_total`,
        `${own},result="failed"`,
        isBad || hour >= 14
          ? (i === 1 ? Math.min(4, Math.floor(hour - 8)) : 0)
          : 0,
        at,
      );
      for (
        const [stage, s] of Object.entries({
          fetch: 0.6,
          build: 42 + 9 * i,
          activate: 3,
          health: 11,
        })
      ) {
        add(
          `${p}last_attempt_stage_duration_seconds`,
          `${own},stage="${stage}"`,
          s,
          at,
        );
      }
      if (i === 2 && hour > 22) {
        add(
          `${p}fault_info`,
          `${own},stage="build",reason="builder-failed"`,
          1,
          at,
        );
      }
    }
  }
  return Object.entries(lines)
    .map(([name, all]) => `# TYPE ${name} unknown\n${all.join("\n")}\n`)
    .join("") + "# EOF\n";
}

/** Starts a Prometheus that has that day. */
export async function prometheusWithFleet(place: string): Promise<Server> {
  await Deno.writeTextFile(`${place}/fleet.txt`, fleet());
  await Deno.writeTextFile(`${place}/prometheus.yml`, "{}\n");
  await output([
    ...["promtool", "tsdb", "create-blocks-from", "openmetrics"],
    `${place}/fleet.txt`,
    `${place}/data`,
  ]);
  return await Server.start((port) => [
    "prometheus",
    `--config.file=${place}/prometheus.yml`,
    `--storage.tsdb.path=${place}/data`,
    "--storage.tsdb.retention.time=100y",
    `--web.listen-address=127.0.0.1:${port}`,
  ], "/-/ready");
}

/** What a panel shows. */
export async function linesOf(
  prometheus: Server,
  panel: Panel,
): Promise<Line[]> {
  const all: Line[] = [];
  for (const { expr, legendFormat } of panel.targets) {
    const query = encodeURIComponent(expr.replaceAll("$instance", ".*"));
    const { status, error, data } = await prometheus.json(
      `/api/v1/query_range?query=${query}&start=${
        end - day
      }&end=${end}&step=${step}`,
    );
    if (status !== "success") throw new Error(`${panel.title}: ${error}`);
    for (const { metric, values } of data.result) {
      const legend = legendFormat === ""
        ? [
          metric.instance,
          metric.revision?.slice(0, 12),
          metric.stage,
          metric.reason,
        ]
          .filter((word) => word).join(" ")
        : legendFormat.replace(
          /\{\{(\w+)\}\}/g,
          (_, name) => metric[name] ?? "",
        );
      const points = values.map(([at, value]: [number, string]) =>
        [at, Number(value)] as [number, number]
      );
      all.push({ legend, points });
    }
  }
  return all;
}

const colours = ["#3274d9", "#e0752d", "#56a64b", "#b877d9", "#c4162a", "#777"];
const cell = { w: 40, h: 32 };

const escaped = (text: string) =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");

function shown(value: number, unit: string): string {
  if (unit !== "s") return String(Math.round(value * 10) / 10);
  if (value < 60) return `${Math.round(value * 10) / 10} s`;
  return value < 3600
    ? `${Math.round(value / 60)} min`
    : `${Math.round(value / 360) / 10} h`;
}

/** One panel, in the place that the board gives it. */
function drawn(panel: Panel, lines: readonly Line[]): string {
  const { x, y, w, h } = panel.gridPos;
  const width = w * cell.w - 8, height = h * cell.h - 8;
  const { unit } = panel.fieldConfig.defaults;
  const last = ({ points }: Line) => points.at(-1)?.[1] ?? 0;
  const text = (atX: number, atY: number, words: string, more = "") =>
    `<text x="${atX}" y="${atY}" ${more}>${escaped(words)}</text>`;
  // As many as there are fit into it.
  const high = Math.min(20, (height - 44) / Math.max(lines.length, 1));
  const row = (i: number) => 48 + i * high;
  const body = () => {
    switch (panel.type) {
      case "stat":
        return text(
          width / 2,
          height - 24,
          shown(lines[0] ? last(lines[0]) : 0, unit),
          'font-size="36" text-anchor="middle"',
        );
      case "table":
        return lines.filter(({ points }) => points.at(-1)?.[0] === end)
          .map(({ legend }, i) => text(12, row(i), legend)).join("");
      case "bargauge": {
        const now = lines.filter(({ points }) => points.at(-1)?.[0] === end);
        const most = Math.max(...now.map(last), 1);
        return now.map((line, i) =>
          text(12, row(i) - 4, line.legend, 'font-size="11"') +
          `<rect x="130" y="${row(i) - 14}" width="${
            (width - 210) * last(line) / most
          }" height="12" fill="${colours[0]}"/>` +
          text(
            width - 70,
            row(i) - 4,
            shown(last(line), unit),
            'font-size="11"',
          )
        ).join("");
      }
      default: {
        const most = Math.max(
          ...lines.flatMap(({ points }) => points.map(([, v]) => v)),
          1,
        );
        const top = 36, bottom = height - 36;
        return text(12, top + 4, shown(most, unit), 'font-size="11"') +
          lines.map(({ legend, points }, i) => {
            const path = points.map(([at, value]) =>
              `${(60 + (width - 72) * (at - end + day) / day).toFixed(1)},${
                (bottom - (bottom - top) * value / most).toFixed(1)
              }`
            ).join(" ");
            const colour = colours[i % colours.length];
            return `<polyline fill="none" stroke="${colour}" stroke-width="1.5" points="${path}"/>` +
              text(
                60 + i * 110,
                height - 10,
                legend,
                `font-size="11" fill="${colour}"`,
              );
          }).join("");
      }
    }
  };
  return `<g transform="translate(${x * cell.w + 4},${y * cell.h + 4})">` +
    `<rect width="${width}" height="${height}" fill="#fff" stroke="#ccc"/>` +
    text(12, 20, panel.title, 'font-weight="bold"') + body() + "</g>";
}

/** The whole board as SVG. */
export async function boardSvg(prometheus: Server): Promise<string> {
  const all = panels();
  const parts: string[] = [];
  for (const panel of all) {
    parts.push(drawn(panel, await linesOf(prometheus, panel)));
  }
  const height = Math.max(...all.map(({ gridPos: { y, h } }) => y + h)) *
    cell.h;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 960 ${height}" ` +
    `font-family="sans-serif" font-size="13" fill="#222">\n` +
    `<rect width="960" height="${height}" fill="#f4f5f5"/>\n${
      parts.join("\n")
    }\n</svg>\n`;
}

if (import.meta.main) {
  const place = await Deno.makeTempDir({ prefix: "gitops-sync-board-" });
  await using prometheus = await prometheusWithFleet(place);
  await Deno.writeTextFile(`${folder}board.svg`, await boardSvg(prometheus));
}
