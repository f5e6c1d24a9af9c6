# The options that module.nix adds to those of the program, for docs/options.md.
let
  lib = import ./nixpkgs/lib;
  inherit
    ((lib.evalModules {
      modules = [ ../../module.nix ];
      # Only defaults are made of it, and their text stands in the documentation.
      specialArgs.pkgs.formats.json = _: { type = lib.types.json; };
    }).options.services
    )
    gitops
    ;
  ofProgram = map (option: builtins.head (lib.splitString "." option.name)) (
    lib.importJSON ../../nix/options.json
  );
  names = builtins.filter (name: !(builtins.elem name ofProgram || gitops.${name}.internal or false)) (
    builtins.attrNames gitops
  );
  textOf = value: value.text or (builtins.toJSON value);
in
map (
  name:
  let
    option = gitops.${name};
  in
  {
    inherit name;
    type = option.type.description;
    default =
      if option ? defaultText then
        textOf option.defaultText
      else if option ? default then
        textOf option.default
      else
        null;
    inherit (option) description;
  }
) names
