using System.Text;
using CsCheck;
using Polymath.Files;
using Polymath.Text;

namespace Polymath.Tests.Text;

/// <summary>Small vocabularies and texts of all kinds of characters, made here.</summary>
internal static class Vocabularies
{
    public const string Sample =
        "The quick brown fox jumps over the lazy dog, and then the other dog. It's 1234 5678 times!\n\n  if (x == 1) { y(); }\n"
        + "한글 문장 한글 문장. 漢字漢字かな。 Привет мир, привет! 😀😀 👍🏽 naïve café naïve café aaaaaaaaaaaaaaaa ________________        \r\n";

    /// <summary>Metadata of a byte-level vocabulary learnt from <see cref="Sample"/>.</summary>
    public static Metadata ByteLevel(string pre = "gpt-2")
    {
        var metadata = new Metadata();
        BpeTrainer.Learn([Sample, Sample], 600).WriteTo(metadata);
        metadata.Set("tokenizer.ggml.pre", pre);
        return metadata;
    }

    /// <summary>Metadata of a SentencePiece vocabulary: control tokens, bytes, and parts of words of <see cref="Sample"/>.</summary>
    public static Metadata SentencePiece()
    {
        List<string> tokens = ["<unk>", "<s>", "</s>"];
        List<int> kinds = [2, 3, 3];
        for (int value = 0; value < 256; value++)
        {
            tokens.Add($"<0x{value:X2}>");
            kinds.Add(6);
        }

        // Parts of one to four characters, the frequent ones first: many can be reached in several ways.
        string text = Sample.Replace(' ', '▁');
        Rune[] runes = [.. text.EnumerateRunes()];
        IEnumerable<string> parts =
            from length in Enumerable.Range(1, 4)
            from start in Enumerable.Range(0, runes.Length - length)
            select string.Concat(runes[start..(start + length)].Select(rune => rune.ToString()));
        string[] chosen = [.. parts.GroupBy(part => part).OrderByDescending(group => group.Count())
            .ThenBy(group => group.Key, StringComparer.Ordinal).Select(group => group.Key).Take(500)];
        tokens.AddRange(chosen);
        kinds.AddRange(chosen.Select(_ => 1));
        var metadata = new Metadata();
        metadata.Set("tokenizer.ggml.model", "llama");
        metadata.Set("tokenizer.ggml.tokens", tokens.ToArray());
        metadata.Set("tokenizer.ggml.token_type", kinds.ToArray());

        // Every score stands twice, so that ties are met.
        metadata.Set("tokenizer.ggml.scores", Enumerable.Range(0, tokens.Count).Select(id => id < 259 ? 0f : -(id / 2)).ToArray());
        return metadata;
    }

    /// <summary>All tokenizers under test, by name.</summary>
    public static Dictionary<string, Tokenizer> All { get; } = Make();

    /// <summary>Texts of any scalars, surrogates without their other half, and runs that make long pieces.</summary>
    public static Gen<string> AnyText { get; } = Gen.OneOf(
        Gen.OneOf(
            Gen.Int[0, 0x7F], Gen.Int[0, 0x2FF], Gen.Int[0x300, 0xFFFF], Gen.Int[0xD800, 0xDFFF], Gen.Int[0xAC00, 0xD7A3],
            Gen.Int[0x10000, 0x10FFFF], Gen.Int[0x1F600, 0x1F64F])
            .Select(value => value < 0x10000 ? ((char)value).ToString() : char.ConvertFromUtf32(value)).Array[0, 40]
            .Select(string.Concat),
        Gen.Int[0, Sample.Length - 1].Select(Gen.Int[0, 200], (start, length) => Sample.Substring(start, Math.Min(length, Sample.Length - start))),
        OneOf("a", " ", "_", "7", "漢", "😀", "\u0301", "ab", "the", "\n", "\ud800").Select(Gen.Int[0, 300], (part, count) => string.Concat(Enumerable.Repeat(part, count))))
        .Array[0, 4].Select(string.Concat);

    /// <summary>One of some strings.</summary>
    public static Gen<string> OneOf(params string[] values) => Gen.Int[0, values.Length - 1].Select(i => values[i]);

    /// <summary>The text with every surrogate that lacks its other half made U+FFFD.</summary>
    public static string WellFormed(string text) => Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text));

    private static Dictionary<string, Tokenizer> Make()
    {
        var all = new Dictionary<string, Tokenizer>();
        foreach (string pre in (string[])["gpt-2", "llama-bpe", "qwen2", "smollm", "deepseek-llm", "default"])
            all.Add(pre, Tokenizer.FromMetadata(ByteLevel(pre), pre));
        all.Add("llama", Tokenizer.FromMetadata(SentencePiece(), "llama"));
        return all;
    }
}
