# Types of options: what they take (`check`) and how definitions become one
# value (`merge`, given the option's path and its definitions' values).
lib:
let
  inherit (builtins)
    all
    attrValues
    concatLists
    concatMap
    foldl'
    head
    isAttrs
    isBool
    isInt
    isList
    isString
    length
    mapAttrs
    ;

  one =
    path: values:
    if all (value: value == head values) values then
      head values
    else
      throw "The option `${lib.showOption path}' has conflicting definitions";

  simple = name: check: {
    inherit name check;
    merge = one;
  };

  # The same attribute of several sets, each with its definitions.
  zip = merge: path: values: builtins.zipAttrsWith (name: merge (path ++ [ name ])) values;

  types = {
    bool = simple "boolean" isBool;
    str = simple "string" isString;
    package = simple "package" (value: isString value || value ? outPath);
    ints.unsigned = simple "unsigned integer" (value: isInt value && value >= 0);
    enum =
      words:
      simple "one of ${builtins.concatStringsSep ", " (map builtins.toJSON words)}" (
        value: builtins.elem value words
      );

    anything = {
      name = "anything";
      check = _: true;
      merge =
        path: values:
        if all isAttrs values then zip (lib.mergeDefinitions types.anything) path values else one path values;
    };

    json = types.anything // {
      name = "JSON value";
    };

    nullOr = type: {
      name = "null or ${type.name}";
      check = value: value == null || type.check value;
      merge = path: values: if builtins.elem null values then one path values else type.merge path values;
    };

    listOf = type: {
      name = "list of ${type.name}";
      check = value: isList value && all type.check value;
      merge = _: concatLists;
    };

    attrsOf = type: {
      name = "attribute set of ${type.name}";
      check = isAttrs;
      merge = zip (lib.mergeDefinitions type);
    };

    # Modules as the value of an option.
    submodule =
      given:
      types.submoduleOf [
        (
          if given ? freeformType then
            {
              inherit (given) freeformType;
              options = given.options or { };
            }
          else
            given
        )
      ];
    submoduleOf = modules: {
      name = "submodule";
      inherit modules;
      check = value: isAttrs value || builtins.isFunction value;
      merge =
        path: values:
        (lib.evalModules {
          modules = modules ++ values;
          prefix = path;
        }).config;
    };
  };
in
types
