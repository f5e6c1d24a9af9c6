import { assertEquals } from "@std/assert";
import {
  extlinuxDefault,
  grubDefault,
  loaderDefault,
  systemIn,
} from "../../lib/host/boot_entry.ts";

const system = (digit: string) =>
  `/nix/store/${digit.repeat(32)}-nixos-system-demo-26.05`;

Deno.test("systemd-boot's default is read from loader.conf", () => {
  const table: [string, string | undefined][] = [
    [
      "timeout 5\ndefault nixos-generation-12.conf\n",
      "nixos-generation-12.conf",
    ],
    ["default\tnixos-*\nconsole-mode keep\n", "nixos-*"],
    ["#default x.conf\ntimeout 5\n", undefined],
    ["", undefined],
  ];
  for (const [conf, expected] of table) {
    assertEquals(loaderDefault(conf), expected, conf);
  }
});

Deno.test("the system is the one whose init the kernel starts", () => {
  const table: [string, string | null][] = [
    [`options init=${system("a")}/init loglevel=4\n`, system("a")],
    [`linux ($drive1)//kernel init=${system("b")}/init quiet`, system("b")],
    ["options root=/dev/sda1 init=/bin/sh", null],
    [`options rdinit=${system("a")}/init`, null],
    ["", null],
  ];
  for (const [text, expected] of table) {
    assertEquals(systemIn(text), expected, text);
  }
});

const grubCfg = (chosen: string) => `
if [ "\${next_entry}" ]; then
  set default="\${next_entry}"
  set next_entry=
  save_env next_entry
else
  set default=${chosen}
fi
menuentry "NixOS" --class nixos --unrestricted {
  linux ($drive1)/kernels/a-bzImage init=${system("a")}/init loglevel=4
  initrd ($drive1)/kernels/a-initrd
}
submenu "NixOS - All configurations" --class submenu {
  menuentry "NixOS - Configuration 2" {
    linux ($drive1)/kernels/b-bzImage init=${system("b")}/init
  }
}
menuentry "Another" {
  linux ($drive1)/kernels/c-bzImage init=${system("c")}/init
}
`;

Deno.test("GRUB's default is the entry of its number, submenus counted as one", () => {
  const table: [string, string | null][] = [
    ["0", system("a")],
    ['"0"', system("a")],
    ["2", system("c")],
    ["7", null],
  ];
  for (const [chosen, expected] of table) {
    assertEquals(grubDefault(grubCfg(chosen)), expected, chosen);
  }
  assertEquals(grubDefault(""), null);
});

Deno.test("extlinux starts the label that it names", () => {
  const conf = (label: string) => `
DEFAULT ${label}
TIMEOUT 50
LABEL nixos-default
  LINUX ../nixos/a-Image
  APPEND init=${system("a")}/init console=tty0
LABEL nixos-2-default
  LINUX ../nixos/b-Image
  APPEND init=${system("b")}/init
`;
  assertEquals(extlinuxDefault(conf("nixos-default")), system("a"));
  assertEquals(extlinuxDefault(conf("nixos-2-default")), system("b"));
  assertEquals(extlinuxDefault(conf("gone")), null);
});
