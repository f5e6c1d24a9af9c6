# The options of the program as NixOS options with the same names and texts.
# nix/options.json is generated from the program's own list.
{ lib }:
let
  inherit (lib) mkOption types;

  list = lib.importJSON ./options.json;

  # The types of values; the program checks their content when the configuration is
  # built.
  typeOf =
    option:
    {
      anything = types.anything;
      choice = types.enum option.choices;
      flag = types.bool;
      list = types.listOf types.anything;
      number = types.ints.unsigned;
      text = types.str;
      texts = types.listOf types.str;
    }
    .${option.type};

  pathOf = option: lib.splitString "." option.name;

  optionOf =
    option:
    mkOption (
      {
        description = option.text;
      }
      // (
        if option ? default then
          {
            type = typeOf option;
            inherit (option) default;
          }
        else
          {
            type = types.nullOr (typeOf option);
            default = null;
          }
      )
      // lib.optionalAttrs (option ? defaultText) {
        defaultText = lib.literalMD option.defaultText;
      }
    );

  nested =
    make:
    lib.foldl' lib.recursiveUpdate { } (
      map (option: lib.setAttrByPath (pathOf option) (make option)) list
    );
in
{
  inherit list;

  # A tree of options.
  options = nested optionOf;

  # Their values in a configuration; null if not set.
  valuesIn = config: nested (option: lib.getAttrFromPath (pathOf option) config);

  # The names of options with a default but without a value in these settings.
  lostIn =
    settings:
    map (option: option.name) (
      lib.filter (
        option: option ? default && lib.attrByPath (pathOf option) null settings == null
      ) list
    );
}
