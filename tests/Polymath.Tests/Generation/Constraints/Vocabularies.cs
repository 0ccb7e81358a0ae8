using Polymath.Files;
using Polymath.Text;

namespace Polymath.Tests.Generation.Constraints;

/// <summary>Vocabularies for tests of constraints.</summary>
internal static class Vocabularies
{
    /// <summary>The 256 bytes, each a token, and an end.</summary>
    public static Tokenizer Bytes { get; } = Make([], []);

    /// <summary>The bytes, tokens of several bytes of which some end in the middle of a character, an end and two markers.</summary>
    public static Tokenizer Words { get; } = Make(
        [
            "true", "false", "null", "\"", "\":", "\": ", "\",", "\", \"", "{\"", "\"}", "\"]", "[\"", "{}", "[]", "},", "],", "}}", "]}", ", ", ": ", "\n  ",
            "a", "ab", "abc", "\"a", "\"a\":", "\"b\":", "{\"a", "{\"a\":", "name", "\"name\":", "kind", "the", " the", "red", "green", "10", "12", "123", "00",
            "-1", "1.", ".5", "0.", "e1", "2024", "-01", "T1", ":00", "Z\"", "@", ".com", "\\\"", "\\n", "\\u00", "\\ud83d", "\\ude00", "ée", "世界", "<tool", "_call>",
            "<tool_call>", "</tool_call>", "x\"", "9\"", "1,", "1]", "1}", "0}", "\",\"", "\"x", "x1", "GET ", "aaaa", "    ",
        ],
        ["<|tool|>", "<think>"],
        [[0xE4, 0xB8], [0x96, 0x22], [0xC3], [0xF0, 0x9F], [0x98, 0x80], [0xA9, 0x22, 0x2C]]);

    /// <summary>The vocabulary of the default model.</summary>
    public static Tokenizer Stories { get; } = Load();

    public static int End(Tokenizer tokenizer) =>
        Enumerable.Range(0, tokenizer.VocabularySize).First(tokenizer.IsEndOfGeneration);

    private static Tokenizer Load()
    {
        using GgufFile file = GgufFile.Open(Path.Combine(Shared.ProjectRoot, "models", "polymath-stories.gguf"));
        return Tokenizer.FromMetadata(file.Metadata, "stories");
    }

    private static Tokenizer Make(string[] words, string[] markers, byte[][]? odd = null)
    {
        char[] alphabet = Alphabet();
        List<string> tokens = [.. alphabet.Select(c => c.ToString())];
        foreach (byte[] word in words.Select(System.Text.Encoding.UTF8.GetBytes).Concat(odd ?? []))
            tokens.Add(string.Concat(word.Select(value => alphabet[value])));
        tokens = [.. tokens.Distinct(StringComparer.Ordinal)];
        int texts = tokens.Count;
        tokens.AddRange(["<|endoftext|>", .. markers]);
        var metadata = new Metadata();
        metadata.Set("tokenizer.ggml.model", "gpt2");
        metadata.Set("tokenizer.ggml.pre", "gpt-2");
        metadata.Set("tokenizer.ggml.tokens", tokens.ToArray());
        metadata.Set("tokenizer.ggml.token_type", Enumerable.Range(0, tokens.Count).Select(id => id < texts ? 1 : 3).ToArray());
        metadata.Set("tokenizer.ggml.merges", Array.Empty<string>());
        metadata.Set("tokenizer.ggml.eos_token_id", (uint)texts);
        return Tokenizer.FromMetadata(metadata, "made");
    }

    // GPT-2's printable stand-ins for the 256 bytes.
    private static char[] Alphabet()
    {
        char[] alphabet = new char[256];
        int next = 256;
        for (int b = 0; b < 256; b++)
            alphabet[b] = (char)(b is (>= '!' and <= '~') or (>= 0xA1 and <= 0xAC) or (>= 0xAE and <= 0xFF) ? b : next++);
        return alphabet;
    }
}
