using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Polymath.Files;
using Polymath.Text;
using Polymath.Text.HuggingFace;
using Xunit;

namespace Polymath.Tests.Text;

public sealed class TokenizerJsonTests
{
    private const string WordPiece = """
        {"added_tokens": [{"id": 0, "content": "[UNK]", "special": true}, {"id": 1, "content": "[MASK]", "lstrip": true, "special": true}],
         "normalizer": {"type": "BertNormalizer", "lowercase": true}, "pre_tokenizer": {"type": "BertPreTokenizer"},
         "post_processor": {"type": "BertProcessing", "sep": ["[MASK]", 1], "cls": ["[UNK]", 0]},
         "model": {"type": "WordPiece", "unk_token": "[UNK]", "vocab": {"[UNK]": 0, "[MASK]": 1, "the": 2, "d": 3, "##og": 4, "##o": 5, "##g": 6, "<": 7, "/": 8, "s": 9, ">": 10}}}
        """;

    private const string Unigram = """
        {"added_tokens": [{"id": 0, "content": "<unk>", "special": true}, {"id": 1, "content": "</s>", "special": true}],
         "normalizer": {"type": "Sequence", "normalizers": [{"type": "NFKC"}, {"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": " "}]},
         "pre_tokenizer": {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": true},
         "model": {"type": "Unigram", "unk_id": 0, "byte_fallback": false, "vocab": [["<unk>", 0], ["</s>", 0], ["▁", -2.5], ["the", -3], ["▁the", -3.5],
            ["d", -5], ["o", -5], ["g", -5], ["▁do", -6], ["og", -6.5], ["ab", -1], ["a", -3], ["b", -3], ["bc", -1.5]]}}
        """;

    private const string Llama3Pattern =
        @"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

    [Fact]
    public void A_byte_level_file_is_the_same_tokenizer_as_its_metadata()
    {
        Tokenizer tokenizer = Parse(ByteLevel());
        Tokenizer expected = Vocabularies.All["gpt-2"];
        Assert.Equal(expected.Encode(Vocabularies.Sample), tokenizer.Encode(Vocabularies.Sample));
        Assert.Equal(expected.VocabularySize, tokenizer.VocabularySize);
        Assert.Equal(expected.BeginId, tokenizer.BeginId);
        Assert.True(tokenizer.AddsBegin);
    }

    [Fact]
    public void Merges_may_be_pairs()
    {
        JsonObject root = ByteLevel();
        var pairs = new JsonArray();
        foreach (JsonNode? merge in root["model"]!["merges"]!.AsArray())
            pairs.Add(new JsonArray([.. merge!.GetValue<string>().Split(' ').Select(part => (JsonNode)part)]));
        root["model"]!["merges"] = pairs;
        Assert.Equal(Vocabularies.All["gpt-2"].Encode(Vocabularies.Sample), Parse(root).Encode(Vocabularies.Sample));
    }

    [Fact]
    public void The_pattern_of_Llama_3_is_recognised()
    {
        JsonObject root = ByteLevel();
        root["pre_tokenizer"] = Split(Llama3Pattern);
        root["model"]!["ignore_merges"] = true;
        Assert.Equal(Vocabularies.All["llama-bpe"].Encode(Vocabularies.Sample), Parse(root).Encode(Vocabularies.Sample));
    }

    [Fact]
    public void An_unknown_pattern_is_refused_by_name()
    {
        JsonObject root = ByteLevel();
        root["pre_tokenizer"] = Split(@"\w+|\W");
        Assert.Contains(@"\w+|\W", Refusal(root), StringComparison.Ordinal);
    }

    [Fact]
    public void Settings_beside_the_file_name_begin_and_end()
    {
        JsonObject root = ByteLevel();
        root.Remove("post_processor");
        Assert.False(Parse(root).AddsBegin);
        Tokenizer tokenizer = Parse(
            root, """{"bos_token": {"content": "<|endoftext|>"}, "eos_token": "!", "add_bos_token": true, "add_eos_token": true}""");
        Assert.Equal([tokenizer.VocabularySize - 1, 'x', '!'], tokenizer.Encode("x"));
        Assert.True(tokenizer.IsEndOfGeneration('!'));
        Assert.Contains("eos_token", Assert.Throws<ModelFormatException>(() => Parse(root, """{"eos_token": "</none>"}""")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Well_known_ends_count_only_where_the_file_calls_them_special()
    {
        JsonObject root = ByteLevel();
        root["added_tokens"]!.AsArray().Add(Added("<|im_end|>", 700, special: true));
        root["added_tokens"]!.AsArray().Add(Added("</s>", 701, special: false));
        Tokenizer tokenizer = Parse(root);
        Assert.True(tokenizer.IsEndOfGeneration(700));
        Assert.False(tokenizer.IsEndOfGeneration(701));
        Assert.Equal("</s>", tokenizer.Decode([701]));
    }

    [Fact]
    public void Gaps_between_ids_become_unused_tokens()
    {
        JsonObject root = ByteLevel();
        root["added_tokens"]!.AsArray().Add(Added("<later>", 700, special: false));
        Tokenizer tokenizer = Parse(root);
        Assert.Equal(701, tokenizer.VocabularySize);
        Assert.Equal([700], tokenizer.Encode("<later>", addSpecial: false));
        Assert.DoesNotContain(tokenizer.Encode("[UNUSED_650]", addSpecial: false), id => id == 650);
    }

    [Fact]
    public void Words_are_cut_into_the_longest_tokens_or_are_unknown()
    {
        Tokenizer tokenizer = TokenizerJson.Parse(Encoding.UTF8.GetBytes(WordPiece), null, "tokenizer.json");
        Assert.Equal([0, 2, 3, 4, 7, 8, 9, 10, 1], tokenizer.Encode("  THE dóg</s>"));
        Assert.Equal([0, 3, 6, 1], tokenizer.Encode("dox dg", addSpecial: false).Append(1));
        Assert.Equal([3, 4, 1, 2], tokenizer.Encode("dog  [MASK] the", addSpecial: false, parseSpecial: true));
        Assert.Equal([0], tokenizer.Encode(new string('d', 1) + new string('o', 100), addSpecial: false));
        Assert.Equal("the dog", tokenizer.Decode([2, 3, 4]));
    }

    [Fact]
    public void Unigram_takes_the_best_sum_and_one_unknown_for_a_run()
    {
        Tokenizer tokenizer = TokenizerJson.Parse(Encoding.UTF8.GetBytes(Unigram), null, "tokenizer.json");
        Assert.Equal([2, 11, 13], tokenizer.Encode("abc", addSpecial: false)); // -3 - 1.5 beats -1 and the unknown c
        Assert.Equal([4, 2, 0, 10], tokenizer.Encode("the  ßäöab", addSpecial: false));
        Assert.Equal([8, 7], tokenizer.Encode("ｄｏｇ", addSpecial: false)); // wide letters, by NFKC
    }

    [Theory]
    [InlineData("model", "type", "\"WordPiece\"", "unk_token")]
    [InlineData("model", "type", "\"WordLevel\"", "WordLevel")]
    [InlineData("model", "type", "\"Unigram\"", "model.vocab")]
    [InlineData("model", "continuing_subword_prefix", "\"##\"", "continuing_subword_prefix")]
    [InlineData("model", "vocab", "[]", "model.vocab")]
    [InlineData("model", "vocab", "{\"a\": -1}", "negative")]
    [InlineData("model", "vocab", "{\"a\": 0.5}", "32-bit integer")]
    [InlineData("model", "vocab", "{\"a\": 2000000000}", "highest id")]
    [InlineData("model", "vocab", "{\"a\": 1, \"b\": 1}", "twice")]
    [InlineData("model", "merges", "{}", "model.merges")]
    [InlineData("model", "merges", "[[\"a\"]]", "pair")]
    [InlineData("model", "merges", "[1]", "merges[0]")]
    [InlineData("model", "merges", "[\"a qqqq\"]", "merge 0")]
    [InlineData("model", "unk_token", "\"<none>\"", "unk_token")]
    [InlineData("model", "byte_fallback", "1", "byte_fallback")]
    [InlineData("", "normalizer", "{\"type\": \"Uppercase\"}", "Uppercase")]
    [InlineData("", "normalizer", "{\"type\": \"Replace\", \"pattern\": {\"Regex\": \"a+\"}, \"content\": \"\"}", "pattern.Regex")]
    [InlineData("", "normalizer", "{\"type\": \"Precompiled\", \"precompiled_charsmap\": \"AAAA\"}", "precompiled_charsmap")]
    [InlineData("", "normalizer", "{\"type\": \"Precompiled\", \"precompiled_charsmap\": \"?\"}", "base64")]
    [InlineData("", "pre_tokenizer", "{\"type\": \"UnicodeScripts\"}", "UnicodeScripts")]
    [InlineData("", "pre_tokenizer", "{\"type\": \"Whitespace\"}", "words-and-signs")]
    [InlineData("", "pre_tokenizer", "null", "ByteLevel")]
    [InlineData("", "post_processor", "{\"type\": \"BertProcessing\"}", "cls")]
    [InlineData("", "post_processor", "{\"type\": \"PairProcessing\"}", "PairProcessing")]
    [InlineData("", "added_tokens", "[{\"id\": 3, \"content\": \"<x>\"}]", "twice")]
    [InlineData("", "added_tokens", "[{\"id\": \"3\", \"content\": \"<x>\"}]", "added_tokens[0].id")]
    public void What_is_wrong_or_not_known_is_named(string inside, string name, string value, string named)
    {
        JsonObject root = ByteLevel();
        JsonObject place = inside.Length == 0 ? root : root[inside]!.AsObject();
        place[name] = JsonNode.Parse(value);
        Assert.Contains(named, Refusal(root), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("{")]
    [InlineData("{\"model\": {}, \"model\": {}}")]
    [InlineData("{\"model\": {\"vocab\": {\"a\": 0, \"\\u0061\": 1}, \"merges\": []}, \"pre_tokenizer\": null}")]
    [InlineData("{\"model\": {\"vocab\": {\"\\ud800\": 0}, \"merges\": []}}")]
    public void Broken_JSON_is_refused(string json) =>
        Assert.Throws<ModelFormatException>(() => TokenizerJson.Parse(Encoding.UTF8.GetBytes(json), null, "tokenizer.json"));

    [Fact]
    public void Deep_nesting_is_refused()
    {
        string json = string.Concat(Enumerable.Repeat("{\"normalizer\":", 100_000));
        Assert.Throws<ModelFormatException>(() => TokenizerJson.Parse(Encoding.UTF8.GetBytes(json), null, "tokenizer.json"));
    }

    [Fact]
    public void Ten_thousand_small_changes_give_a_tokenizer_or_a_clear_error()
    {
        byte[] valid = Encoding.UTF8.GetBytes(Metaspace().ToJsonString());
        byte[] longer = JsonSerializer.SerializeToUtf8Bytes(Small());
        byte[] words = Encoding.UTF8.GetBytes(WordPiece);
        byte[] unigram = Encoding.UTF8.GetBytes(Unigram);
        var random = new Random(1);
        int refused = 0;
        const int Rounds = 10_000;
        for (int round = 0; round < Rounds; round++)
        {
            byte[] changed = Mutate((round % 4) switch { 0 => valid, 1 => longer, 2 => words, _ => unigram }, random);
            try
            {
                Tokenizer tokenizer = TokenizerJson.Parse(changed, null, "tokenizer.json");
                int[] ids = tokenizer.Encode("the dog 😀 </s>\n", parseSpecial: true);
                Assert.All(ids, id => Assert.InRange(id, 0, tokenizer.VocabularySize - 1));
                tokenizer.Decode(ids);
            }
            catch (ModelFormatException)
            {
                refused++;
            }
        }

        Assert.InRange(refused, Rounds / 10, Rounds - 100); // both outcomes are really met
    }

    [Fact]
    public void The_run_of_small_changes_would_find_a_planted_defect()
    {
        // A reader that takes the id of the unknown token without a look at the table.
        byte[] valid = Encoding.UTF8.GetBytes("""{"model": {"type": "Unigram", "unk_id": 2, "vocab": [["a", -1], ["b", -2], ["c", -3]]}}""");
        var random = new Random(2);
        bool found = false;
        for (int round = 0; round < 10_000 && !found; round++)
        {
            try
            {
                using JsonDocument changed = JsonDocument.Parse(Mutate(valid, random));
                JsonElement model = changed.RootElement.GetProperty("model");
                int unknown = model.GetProperty("unk_id").GetInt32();
                found = unknown < 0 || unknown >= model.GetProperty("vocab").GetArrayLength();
            }
            catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException or FormatException)
            {
            }
        }

        Assert.True(found);
    }

    private static byte[] Mutate(byte[] valid, Random random)
    {
        List<byte> bytes = [.. valid];
        for (int left = random.Next(1, 4); left > 0; left--)
        {
            int at = random.Next(bytes.Count);
            switch (random.Next(5))
            {
                case 0: bytes[at] = (byte)random.Next(256); break;
                case 1: bytes[at] = (byte)"{}[]\",:0123456789-null"[random.Next(22)]; break;
                case 2: bytes.RemoveRange(at, Math.Min(random.Next(1, 8), bytes.Count - at)); break;
                case 3: bytes.InsertRange(at, bytes.GetRange(at, Math.Min(random.Next(1, 30), bytes.Count - at))); break;
                default: bytes[at] ^= (byte)(1 << random.Next(8)); break;
            }

            if (bytes.Count == 0)
                bytes.Add((byte)'{');
        }

        return [.. bytes];
    }

    private static Tokenizer Parse(JsonObject root, string? config = null) => TokenizerJson.Parse(
        JsonSerializer.SerializeToUtf8Bytes(root), config is null ? null : Encoding.UTF8.GetBytes(config), "tokenizer.json");

    private static string Refusal(JsonObject root) => Assert.Throws<ModelFormatException>(() => Parse(root)).Message;

    private static JsonObject Added(string content, int id, bool special) => new()
    {
        ["id"] = id,
        ["content"] = content,
        ["special"] = special,
    };

    private static JsonObject Split(string pattern) => (JsonObject)JsonNode.Parse("""
        {"type": "Sequence", "pretokenizers": [
            {"type": "Split", "pattern": {"Regex": "@"}, "behavior": "Isolated", "invert": false},
            {"type": "ByteLevel", "add_prefix_space": false, "use_regex": false}]}
        """.Replace("@", JsonEncodedText.Encode(pattern).ToString(), StringComparison.Ordinal))!;

    /// <summary>The byte-level vocabulary of the other tests as Hugging Face would write it.</summary>
    private static JsonObject ByteLevel()
    {
        Metadata metadata = Vocabularies.ByteLevel();
        string[] tokens = metadata.GetArray<string>("tokenizer.ggml.tokens")!;
        var root = (JsonObject)JsonNode.Parse("""
            {"version": "1.0", "normalizer": {"type": "NFC"}, "added_tokens": [],
             "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true},
             "post_processor": {"type": "Sequence", "processors": [{"type": "ByteLevel"}, {"type": "TemplateProcessing",
                "single": [{"SpecialToken": {"id": "<|endoftext|>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}]}]},
             "model": {"type": "BPE", "dropout": null, "unk_token": null, "byte_fallback": false, "vocab": {}, "merges": []}}
            """)!;
        root["added_tokens"]!.AsArray().Add(Added(tokens[^1], tokens.Length - 1, special: true));
        var vocab = new JsonObject();
        for (int id = 0; id < tokens.Length - 1; id++)
            vocab[tokens[id]] = id;
        root["model"]!["vocab"] = vocab;
        root["model"]!["merges"] = new JsonArray([.. metadata.GetArray<string>("tokenizer.ggml.merges")!.Select(merge => (JsonNode)merge)]);
        return root;
    }

    /// <summary>A small vocabulary that writes spaces as U+2581, whose characters a change can hit.</summary>
    private static JsonObject Metaspace() => (JsonObject)JsonNode.Parse("""
        {"added_tokens": [{"id": 0, "content": "<unk>", "special": true}, {"id": 1, "content": "</s>", "special": true}],
         "normalizer": {"type": "Sequence", "normalizers": [{"type": "Prepend", "prepend": "▁"},
            {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}]},
         "pre_tokenizer": null,
         "model": {"type": "BPE", "unk_token": "<unk>", "fuse_unk": true, "byte_fallback": true,
            "vocab": {"<unk>": 0, "</s>": 1, "▁": 2, "t": 3, "h": 4, "e": 5, "d": 6, "o": 7, "g": 8, "th": 9, "the": 10, "▁the": 11},
            "merges": ["t h", "th e", "▁ the"]}}
        """)!;

    /// <summary>A byte-level vocabulary without merges, in which most changes still leave valid files.</summary>
    private static JsonObject Small()
    {
        JsonObject root = ByteLevel();
        root["model"]!["merges"] = new JsonArray("t h", "h e");
        return root;
    }
}
