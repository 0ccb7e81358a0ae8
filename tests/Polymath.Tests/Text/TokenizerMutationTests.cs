using System.Text;
using Polymath.Files;
using Polymath.Files.HuggingFace;
using Polymath.Tests.Files;
using Polymath.Text;
using Polymath.Text.HuggingFace;
using Polymath.Text.Normalizers;
using Xunit;

namespace Polymath.Tests.Text;

/// <summary>Damaged files and tables beside tokenizer.json: its settings, chat templates, the map of characters.</summary>
public sealed class TokenizerMutationTests : IDisposable
{
    private const int Seed = 13, Rounds = 4_000;

    private const string Vocabulary = """
        {"added_tokens": [{"id": 0, "content": "<s>", "special": true}, {"id": 1, "content": "</s>", "special": true}],
         "pre_tokenizer": {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "never"},
         "model": {"type": "Unigram", "unk_id": 2, "vocab": [["<s>", 0], ["</s>", 0], ["<unk>", 0], ["a", -1], ["b", -2]]}}
        """;

    private const string Settings = """
        {"bos_token": "<s>", "eos_token": {"content": "</s>", "special": true}, "pad_token": null, "mask_token": "b", "add_bos_token": true,
         "add_eos_token": false, "chat_template": [{"name": "default", "template": "{{ a }}"}, {"name": "tool_use", "template": "{{ b }}"}]}
        """;

    private static readonly byte[][] Fragments = [.. ((string[])[
        "0", "-1", "1e400", "null", "true", "false", "[]", "{}", "[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]", "\"\"", "\"<s>\"", "\"</s>\"", "\"c\"", "\"\\ud800\"", "\"a/b\"",
        "{\"content\":\"a\"}", "{\"content\":1}", "[{\"name\":\"x\",\"template\":\"y\"}]", "[{\"name\":\"x\"}]", ",\"bos_token\":\"a\"", ":", "}", "]", "\"",
    ]).Select(Encoding.UTF8.GetBytes)];

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Mutated_settings_are_refused_clearly_or_used() => OfSettings(LoadSettings).Check(Rounds);

    [Fact]
    public void Mutated_templates_are_refused_clearly_or_taken() => OfSettings(LoadTemplates).Check(Rounds);

    [Fact]
    public void Mutated_maps_of_characters_are_refused_clearly_or_replace() => Map(LoadMap).Check(Rounds);

    [Theory]
    [InlineData("no token of the vocabulary")]
    [InlineData("content")]
    [InlineData("JSON")]
    public void A_reader_of_settings_without_one_of_the_checks_is_found_out(string check) =>
        Assert.Contains("planted", OfSettings(Without(LoadSettings, check)).FirstBad(Rounds) ?? "nothing found");

    [Theory]
    [InlineData("without a name")]
    [InlineData("has no text")]
    [InlineData("is no name")]
    public void A_reader_of_templates_without_one_of_the_checks_is_found_out(string check) =>
        Assert.Contains("planted", OfSettings(Without(LoadTemplates, check)).FirstBad(Rounds) ?? "nothing found");

    [Fact]
    public void A_map_that_is_trusted_is_found_out() =>
        Assert.Contains("planted", Map(Without(LoadMap, "no character map")).FirstBad(Rounds) ?? "nothing found");

    [Fact]
    public void The_map_of_these_tests_replaces() => Assert.Equal("xyz bcd", new CharacterMap(SmallMap(), "map").Apply("a bcd"));

    private static HostileRun OfSettings(Action<byte[]> load) =>
        new("tokenizer_config.json", Seed, [new Specimen("settings", Encoding.UTF8.GetBytes(Settings))], load) { Fragments = Fragments };

    /// <summary>The places that a replacement goes through are changed most.</summary>
    private static HostileRun Map(Action<byte[]> load)
    {
        byte[] map = SmallMap();
        int[] hot = [0, 4, 4 + (0x60 * 4), 4 + (0x62 * 4)];
        return new HostileRun("map of characters", Seed, [new Specimen("map", map, hot, 8), new Specimen("map", map)], load);
    }

    private static void LoadSettings(byte[] config)
    {
        Tokenizer tokenizer = TokenizerJson.Parse(Encoding.UTF8.GetBytes(Vocabulary), config, "tokenizer.json");
        int[] ids = tokenizer.Encode("ab c</s>", parseSpecial: true);
        Assert.All(ids, id => Assert.InRange(id, 0, tokenizer.VocabularySize - 1));
        tokenizer.Decode(ids);
    }

    private void LoadTemplates(byte[] config)
    {
        File.WriteAllBytes(_folder["tokenizer_config.json"], config);
        var metadata = new Metadata();
        FolderTemplates.Write(_folder.Path, metadata);
        foreach ((string key, MetadataValue value) in metadata)
            ArgumentNullException.ThrowIfNull(value.Value, key);
    }

    private static void LoadMap(byte[] bytes)
    {
        var map = new CharacterMap(bytes, "map");
        foreach (string text in (string[])["a", "abc a\u0301", "\ud800a", "😀", ""])
        {
            map.Apply(text);
            foreach (bool longest in (bool[])[true, false])
            {
                byte[] utf8 = Encoding.UTF8.GetBytes(text);
                if (map.Match(utf8, longest, out ReadOnlySpan<byte> replacement) > utf8.Length || replacement.Length > bytes.Length)
                    throw new InvalidOperationException("more than there is");
            }
        }
    }

    /// <summary>a becomes xyz: the root leads to unit 0x60, labelled a, and that one to a value in unit 0x62.</summary>
    private static byte[] SmallMap()
    {
        var units = new uint[0x80];
        units[0] = 1 << 10;
        units[0x60] = 2 << 10 | 0x100 | 'a';
        units[0x62] = 1u << 31;
        return [.. BitConverter.GetBytes(units.Length * 4), .. units.SelectMany(BitConverter.GetBytes), .. "xyz\0"u8];
    }

    private static Action<byte[]> Without(Action<byte[]> load, string check) => input =>
    {
        try
        {
            load(input);
        }
        catch (ModelFormatException e) when (e.Message.Contains(check, StringComparison.Ordinal))
        {
            throw new InvalidOperationException("planted");
        }
    };
}
