/**
 * Boots the real systemd-boot in QEMU, and compares what it starts and how it
 * counts with what gitops-sync reads from its files. `./dev boot` runs this.
 *
 * @module
 */
import { assertEquals, assertMatch } from "@std/assert";
import { systemdBoot } from "../../lib/host/boot_entry.ts";
import { fromPackage } from "../machine/bless.ts";
import { output, run } from "../world/program.ts";

/** What is in the boot partition, and what each boot comes to. */
interface Story {
  name: string;
  /** `default` in loader.conf. */
  pattern: string;
  /** Entry names; a generation of `dies` never comes up. */
  entries: readonly string[];
  dies: readonly number[];
  /** The generation of each boot, and the entries after it. */
  boots: readonly (readonly [number, readonly string[]])[];
}

const clean = "nixos-generation-1.conf";
const second = (counter: string) => `nixos-generation-2${counter}.conf`;

const stories: readonly Story[] = [
  {
    name: "a kernel that never comes up is given up after its tries",
    pattern: "nixos-generation-*",
    entries: [clean, second("+3")],
    dies: [2],
    boots: [
      [2, [clean, second("+2-1")]],
      [2, [clean, second("+1-2")]],
      [2, [clean, second("+0-3")]],
      [1, [clean, second("+0-3")]],
    ],
  },
  {
    name: "an entry that is named exactly is never given up",
    pattern: second(""),
    entries: [clean, second("+1")],
    dies: [2],
    boots: [
      [2, [clean, second("+0-1")]],
      [2, [clean, second("+0-2")]],
    ],
  },
  {
    name: "an entry that is blessed stays",
    pattern: "nixos-generation-*",
    entries: [clean, second("")],
    dies: [],
    boots: [[2, [clean, second("")]]],
  },
];

const hash = "0".repeat(32);
const systemOf = (generation: number) =>
  `/nix/store/${hash}-generation-${generation}`;

function entryText(name: string, dies: readonly number[]): string {
  const generation = Number(/generation-(\d+)/.exec(name)![1]);
  const death = dies.includes(generation) ? "dies" : "";
  return `title NixOS
sort-key nixos
version Generation ${generation} NixOS
linux /vmlinuz
initrd /initrd
options init=${systemOf(generation)}/init console=ttyS0 quiet ${death}
`;
}

/** Process 1 of the machine: says what was booted, and ends. */
const init = `#!/bin/busybox sh
/bin/busybox mkdir -p /proc
/bin/busybox mount -t proc proc /proc
echo "BOOTED $(/bin/busybox cat /proc/cmdline)"
/bin/busybox reboot -f
`;

async function makeInitrd(folder: string): Promise<string> {
  const root = `${folder}/initrd.d`;
  await Deno.mkdir(`${root}/bin`, { recursive: true });
  await Deno.copyFile("/bin/busybox", `${root}/bin/busybox`);
  await Deno.writeTextFile(`${root}/init`, init);
  await Deno.chmod(`${root}/init`, 0o755);
  const pack = `cd "$1" && find . | cpio -o -H newc --quiet | gzip -1 >"$2"`;
  const made = `${folder}/initrd`;
  await output(["sh", "-c", pack, "sh", root, made]);
  return made;
}

/** Makes the boot partition: the whole disk, without a table. */
async function makeDisk(folder: string, story: Story): Promise<string> {
  const disk = `${folder}/esp.img`;
  await Deno.remove(disk).catch(() => {});
  const env = { PATH: `${Deno.env.get("PATH")}:/usr/sbin:/sbin` };
  await output(["mkfs.vfat", "-C", disk, "131072"], { env });
  const folders = ["EFI", "EFI/BOOT", "loader", "loader/entries"];
  await output(["mmd", "-i", disk, ...folders.map((one) => `::${one}`)]);
  const loader = await fromPackage(
    "systemd-boot-efi",
    "usr/lib/systemd/boot/efi/systemd-bootx64.efi",
  );
  const kernel = await fromPackage("linux-image-cloud-amd64", "boot/vmlinuz-*");
  const put = (from: string, to: string) =>
    output(["mcopy", "-i", disk, from, `::${to}`]);
  await put(loader, "EFI/BOOT/BOOTX64.EFI");
  await put(kernel, "vmlinuz");
  await put(await makeInitrd(folder), "initrd");
  const text = `${folder}/text`;
  await Deno.writeTextFile(text, `timeout 0\ndefault ${story.pattern}\n`);
  await put(text, "loader/loader.conf");
  for (const name of story.entries) {
    await Deno.writeTextFile(text, entryText(name, story.dies));
    await put(text, `loader/entries/${name}`);
  }
  return disk;
}

/** The files of the loader, as they would be mounted. */
async function mounted(folder: string, disk: string): Promise<string> {
  const place = `${folder}/boot`;
  await Deno.remove(place, { recursive: true }).catch(() => {});
  await Deno.mkdir(place);
  await output(["mcopy", "-s", "-n", "-i", disk, "::loader", place]);
  return place;
}

/** Boots once; gives the command line of the kernel that came up. */
async function boot(folder: string, disk: string): Promise<string> {
  const firmware = "/usr/share/OVMF";
  const flash = "if=pflash,format=raw";
  const ended = await run([
    "qemu-system-x86_64",
    ...["-machine", "q35", "-accel", "tcg", "-m", "512", "-net", "none"],
    ...["-display", "none", "-monitor", "none", "-serial", "stdio"],
    "-no-reboot",
    ...["-drive", `${flash},readonly=on,file=${firmware}/OVMF_CODE_4M.fd`],
    ...["-drive", `${flash},file=${folder}/vars.fd`],
    ...["-drive", `format=raw,file=${disk}`],
  ], { timeout: 300_000 });
  const line = /BOOTED (.*)/.exec(ended.stdout)?.[1];
  if (line === undefined) {
    throw new Error(`nothing came up:\n${ended.stdout}\n${ended.stderr}`);
  }
  return line;
}

async function tell(folder: string, story: Story): Promise<void> {
  const disk = await makeDisk(folder, story);
  await Deno.copyFile("/usr/share/OVMF/OVMF_VARS_4M.fd", `${folder}/vars.fd`);
  for (const [generation, after] of story.boots) {
    // What we say that it will start, before it does.
    const [expected] = systemdBoot([await mounted(folder, disk)]);
    const line = await boot(folder, disk);
    console.log(`  booted ${/generation-\d+/.exec(line)?.[0]}`);
    assertMatch(line, new RegExp(`init=${systemOf(generation)}/init`));
    assertEquals(expected?.system, systemOf(generation), "what we say");
    const place = await mounted(folder, disk);
    const names = Array.from(
      Deno.readDirSync(`${place}/loader/entries`),
      ({ name }) => name,
    );
    assertEquals(names.sort(), [...after].sort());
  }
}

if (import.meta.main) {
  if (Deno.build.arch !== "x86_64") {
    console.log("the real systemd-boot is only tried on x86_64");
    Deno.exit(2);
  }
  const folder = await Deno.makeTempDir({ prefix: "gitops-sync-boot-" });
  try {
    for (const story of stories) {
      console.log(story.name);
      await tell(folder, story);
    }
    console.log(`${stories.length} passed, 0 failed`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
