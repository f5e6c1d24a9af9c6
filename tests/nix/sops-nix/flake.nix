# A stand-in for sops-nix, for the flake of the template and for sops.vault: its
# options that are set there, and its unit where it has one.
{
  outputs = _: {
    nixosModules.sops =
      { config, lib, ... }:
      let
        values = lib.mkOption {
          type = lib.types.attrsOf lib.types.anything;
          default = { };
        };
      in
      {
        options.sops = {
          age = values;
          secrets = values;
          environment = lib.mkOption {
            type = lib.types.attrsOf lib.types.str;
            default = { };
          };
          useSystemdActivation = lib.mkOption {
            type = lib.types.bool;
            default = false;
          };
        };
        config = lib.mkIf config.sops.useSystemdActivation {
          systemd.services.sops-install-secrets = {
            inherit (config.sops) environment;
            serviceConfig.Type = "oneshot";
            serviceConfig.ExecStart = "/bin/true";
          };
        };
      };
  };
}
