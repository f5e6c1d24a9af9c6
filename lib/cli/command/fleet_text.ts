/**
 * Prints a fleet as a table, as wide as the terminal.
 *
 * @module
 */
import { formatDuration } from "../../base/duration.ts";
import { count, oneLine, short } from "../../base/text.ts";
import type { Fleet } from "../../fleet/fleet.ts";
import {
  type FleetHost,
  type FleetState,
  fleetStates,
} from "../../fleet/host.ts";
import type { Ink } from "../output/ink.ts";
import { inks } from "../../report/row.ts";
import { fill, fit, widthOf } from "../output/width.ts";

/** A column of the table. */
interface Column {
  title: string;
  of: (host: FleetHost, now: Date) => string;
  /**
   * On a narrow terminal, columns with the highest rank are omitted first. 0
   * always stays.
   */
  rank: number;
}

const columns: readonly Column[] = [
  { title: "HOST", of: ({ host }) => host, rank: 0 },
  { title: "RING", of: ({ ring }) => ring ?? "-", rank: 3 },
  { title: "STATE", of: ({ state }) => state, rank: 0 },
  {
    title: "REVISION",
    of: ({ revision }) => revision === null ? "-" : short(revision),
    rank: 1,
  },
  {
    title: "BEHIND",
    of: ({ behind }) => behind ? formatDuration(behind) : "-",
    rank: 5,
  },
  { title: "SINCE", of: ({ since }, now) => ageOf(since, now), rank: 4 },
  {
    title: "CHECKED",
    of: ({ checkedAt }, now) => ageOf(checkedAt, now),
    rank: 2,
  },
  { title: "WHY", of: ({ why }) => why || "-", rank: 0 },
];

/** The minimum width of the last column before other columns are omitted. */
const minWhyWidth = 20;

const separator = "  ";

/** Returns how long ago a time is, as a duration without words. */
function ageOf(time: string | null, now: Date): string {
  if (time === null) return "-";
  const ms = now.getTime() - Date.parse(time);
  return ms < 0 ? "0s" : formatDuration(ms);
}

/**
 * Returns the lines of the table, in the order of the fleet.
 *
 * @param room The columns of the terminal; without it, all columns are written.
 * @param most The maximum number of hosts; the rest is counted.
 */
export function fleetLines(
  { hosts, at }: Fleet,
  { ink, room, most }: { ink: Ink; room: number | undefined; most: number },
): string[] {
  if (hosts.length === 0) return ["no host found"];
  const now = new Date(at);
  const shown = hosts.slice(0, most);
  const rows = (some: readonly Column[]) =>
    shown.map((host) => some.map(({ of }) => oneLine(of(host, now), 160)));
  const chosen = fitting(rows, room);
  const cells = [chosen.map(({ title }) => title), ...rows(chosen)];
  const widths = chosen.map((_, i) =>
    Math.max(...cells.map((row) => widthOf(row[i]!)))
  );
  const state = chosen.findIndex(({ title }) => title === "STATE");
  const lines = cells.map((row, n) => {
    const host = shown[n - 1];
    return rowLine(
      row,
      widths,
      room,
      (cell, i) =>
        host && i === state
          ? ink(colourOf(host.state), cell)
          : n === 0
          ? ink(inks.dim, cell)
          : cell,
    );
  });
  const more = hosts.length - shown.length;
  const rest = `${count(more, "more host")} not shown; use --limit 0 for all`;
  const last = [...more > 0 ? [rest] : [], summaryOf(hosts)];
  return [...lines, ...last.map((line) => fit(line, room ?? Infinity))];
}

/** Returns the columns that fit. */
function fitting(
  rows: (some: readonly Column[]) => string[][],
  room: number | undefined,
): readonly Column[] {
  let chosen: readonly Column[] = columns;
  const ranks = columns.map(({ rank }) => rank).sort((a, b) => b - a);
  for (const rank of ranks) {
    if (rank === 0 || room === undefined) return chosen;
    const cells = [chosen.map(({ title }) => title), ...rows(chosen)];
    const wide = chosen.map((_, i) =>
      Math.max(...cells.map((row) => widthOf(row[i]!)))
    ).slice(0, -1).reduce((sum, width) => sum + width + separator.length, 0);
    if (wide + minWhyWidth <= room) return chosen;
    chosen = chosen.filter((column) => column.rank < rank);
  }
  return chosen;
}

/** Returns one line. It is cut before colours are added. */
function rowLine(
  row: readonly string[],
  widths: readonly number[],
  room: number | undefined,
  colour: (cell: string, i: number) => string,
): string {
  let left = room ?? Infinity;
  const parts: string[] = [];
  for (const [i, cell] of row.entries()) {
    const isLast = i === row.length - 1;
    const wanted = isLast ? widthOf(cell) : widths[i]!;
    const width = Math.min(wanted, left);
    if (width <= 0) break;
    parts.push(colour(fill(cell, width), i));
    left -= width + separator.length;
  }
  return parts.join(separator).trimEnd();
}

function colourOf(state: FleetState): string {
  if (state === "ok") return inks.good;
  if (["needs-person", "failing", "held"].includes(state)) return inks.bad;
  return state === "behind" ? inks.busy : inks.warning;
}

/** Returns a summary such as `30 hosts: 1 silent, 29 ok`. */
export function summaryOf(hosts: readonly FleetHost[]): string {
  const parts = fleetStates.flatMap((state) => {
    const many = hosts.filter((host) => host.state === state).length;
    return many === 0 ? [] : [`${many} ${state}`];
  });
  return `${count(hosts.length, "host")}: ${parts.join(", ")}`;
}
