# nixosSystem: a host whose modules are these and what is in base.nix.
{
  system,
  modules,
  specialArgs ? { },
}:
let
  pkgs = import ../. { inherit system; };
in
pkgs.lib.evalModules {
  class = "nixos";
  modules = [ ./base.nix ] ++ modules;
  specialArgs = {
    inherit pkgs;
  } // specialArgs;
}
