# A stand-in for nixpkgs: as much of it as the flake of gitops-sync uses, with
# the same names and meanings, on top of the programs of this machine.
#
# tools.json, which the test writes (tests/nix/flake.ts), says where they are.
{
  outputs =
    { self }:
    {
      lib = import ./lib // {
        nixosSystem = import ./nixos;
      };
      legacyPackages = builtins.listToAttrs (
        map
          (system: {
            name = system;
            value = import self { inherit system; };
          })
          [
            "x86_64-linux"
            "aarch64-linux"
            "aarch64-darwin"
          ]
      );
    };
}
