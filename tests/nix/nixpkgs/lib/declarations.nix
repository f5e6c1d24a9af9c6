# What several modules declare of the same options, as one tree. The modules of
# their submodules add up, as in nixpkgs.
lib:
let
  inherit (builtins) isAttrs mapAttrs;

  isOption = value: isAttrs value && value._type or null == "option";

  both =
    old: new:
    old
    // new
    // (
      if old.type or { } ? modules && new.type or { } ? modules then
        { type = lib.types.submoduleOf (old.type.modules ++ new.type.modules); }
      else
        { }
    );

  merge =
    old: new:
    if isOption old && isOption new then
      both old new
    else if isOption old || isOption new then
      throw "An option is declared inside of another one"
    else
      old // mapAttrs (name: value: if old ? ${name} then merge old.${name} value else value) new;
in
builtins.foldl' merge { }
