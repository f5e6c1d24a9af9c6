import { assertEquals } from "@std/assert";
import { formatSize, parseSize } from "../../lib/base/size.ts";

Deno.test("a size is read in every unit, in powers of 1024", () => {
  const table: [string, number | undefined][] = [
    ["1K", 1024],
    ["512M", 512 * 1024 ** 2],
    ["1.5G", 1.5 * 1024 ** 3],
    ["2GiB", 2 * 1024 ** 3],
    ["2 GB", 2 * 1024 ** 3],
    ["1T", 1024 ** 4],
    ["0K", 0],
    ["5", undefined],
    ["", undefined],
    ["-1G", undefined],
    ["1g", undefined],
    ["9999999T", undefined],
  ];
  for (const [text, bytes] of table) assertEquals(parseSize(text), bytes, text);
});

Deno.test("a size is written in its largest unit", () => {
  const table: [number, string][] = [
    [0, "0.0K"],
    [512, "0.5K"],
    [1024, "1.0K"],
    [1536 * 1024, "1.5M"],
    [20 * 1024 ** 3, "20G"],
    [5000 * 1024 ** 4, "5000T"],
  ];
  for (const [bytes, text] of table) assertEquals(formatSize(bytes), text);
});
