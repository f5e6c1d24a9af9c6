# A stand-in for sops-nix, for the flake of the template.
{
  outputs = _: {
    nixosModules.sops =
      { lib, ... }:
      {
        options.sops = lib.mkOption {
          type = lib.types.attrsOf lib.types.anything;
          default = { };
        };
      };
  };
}
