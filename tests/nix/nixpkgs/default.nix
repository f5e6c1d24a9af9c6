# `import nixpkgs { system = …; overlays = [ … ]; }`
{
  system,
  overlays ? [ ],
}:
let
  base = import ./pkgs.nix system;
  extend = packages: overlay: final: let prev = packages final; in prev // overlay final prev;
  all = builtins.foldl' extend base overlays;
  fixed = all fixed;
in
fixed
