using Polymath.Files;
using Polymath.Text;

namespace Polymath.Benchmarks;

/// <summary>
/// A byte-level BPE vocabulary of a given size that any engine loads: the 256 bytes, then words that grow by a letter at
/// each merge, and special tokens at the end.
/// </summary>
internal sealed class MadeUpVocabulary
{
    private const int Normal = 1, Control = 3;   // tokenizer.ggml.token_type
    private const int Specials = 16;

    private static readonly char[] s_letters = [.. Enumerable.Range('a', 26).Select(c => (char)c)];

    private readonly List<string> _tokens = [];
    private readonly List<string> _merges = [];
    private readonly int _words;

    /// <summary>Makes <paramref name="size"/> tokens.</summary>
    public MadeUpVocabulary(int size)
    {
        _words = size - Specials;
        for (int value = 0; value < 256; value++)
            _tokens.Add(ByteAlphabet.ToChar((byte)value).ToString());
        // A space or a letter begins a word; each word so made is itself the beginning of 26 longer ones.
        var beginnings = new Queue<string>([ByteAlphabet.ToChar((byte)' ').ToString(), .. s_letters.Select(c => c.ToString())]);
        while (_tokens.Count < _words)
        {
            string beginning = beginnings.Dequeue();
            foreach (char letter in s_letters.Take(_words - _tokens.Count))
            {
                _merges.Add($"{beginning} {letter}");
                _tokens.Add(beginning + letter);
                beginnings.Enqueue(beginning + letter);
            }
        }

        _tokens.AddRange(["<|begin_of_text|>", "<|end_of_text|>"]);
        for (int i = 0; _tokens.Count < size; i++)
            _tokens.Add($"<|unused_{i}|>");
    }

    /// <summary>Puts it among the settings of a model.</summary>
    public void Describe(Metadata metadata, string preTokenizer)
    {
        metadata.Set("tokenizer.ggml.model", "gpt2");
        metadata.Set("tokenizer.ggml.pre", preTokenizer);
        metadata.Set("tokenizer.ggml.tokens", _tokens.ToArray());
        metadata.Set("tokenizer.ggml.token_type", _tokens.Select((_, id) => id < _words ? Normal : Control).ToArray());
        metadata.Set("tokenizer.ggml.merges", _merges.ToArray());
        metadata.Set("tokenizer.ggml.bos_token_id", (uint)_words);
        metadata.Set("tokenizer.ggml.eos_token_id", (uint)_words + 1);
        metadata.Set("tokenizer.ggml.add_bos_token", true);
    }
}
