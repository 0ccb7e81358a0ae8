using System.Runtime.InteropServices;
using System.Text;
using Polymath.Text.PreTokenizers;

namespace Polymath.Text;

/// <summary>
/// Learns a byte-level BPE vocabulary from text (Sennrich et al. 2016, over bytes as GPT-2 does): again and again the
/// most frequent pair of neighbours becomes a token; of equally frequent pairs the one with the lower ids.
/// The result depends on the texts alone, not on their order.
/// </summary>
public sealed class BpeTrainer
{
    private const int Bytes = 256;

    /// <summary>Pieces are cut here for counting, so that a file of one endless word cannot make a merge slow.</summary>
    private const int LongestWord = 256;

    private readonly Dictionary<string, int> _tokenIds = new(StringComparer.Ordinal);
    private readonly List<string> _tokens = [];
    private readonly List<string> _merges = [];

    private readonly List<int[]> _words = []; // token ids of each distinct word; shorter after each merge in it
    private readonly List<int> _lengths = []; // how many of them count
    private readonly List<long> _frequencies = [];

    private readonly Dictionary<ulong, int> _pairIndex = [];
    private readonly List<Pair> _pairs = [];
    private readonly PriorityQueue<int, Candidate> _queue = new();
    private readonly List<int> _changed = []; // pairs that became more frequent in the running merge

    private BpeTrainer()
    {
    }

    /// <summary>Learns a vocabulary.</summary>
    /// <param name="texts">Texts, or parts of texts; pairs are not counted across their borders.</param>
    /// <param name="vocabularySize">Wanted number of tokens, at least 257; fewer come back when the texts hold no more pairs
    /// that occur twice.</param>
    /// <param name="cancellation">Stops the work.</param>
    /// <exception cref="ArgumentOutOfRangeException">The size has no room for all bytes and the special token.</exception>
    public static LearnedVocabulary Learn(
        IEnumerable<string> texts, int vocabularySize, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(texts);
        ArgumentOutOfRangeException.ThrowIfLessThan(vocabularySize, Bytes + 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(vocabularySize, 1 << 20);
        var trainer = new BpeTrainer();
        trainer.AddBytes();
        trainer.CountWords(texts, cancellation);
        trainer.CountPairs();
        trainer.LearnMerges(vocabularySize - 1, cancellation);
        return new LearnedVocabulary([.. trainer._tokens, LearnedVocabulary.EndOfText], [.. trainer._merges]);
    }

    /// <summary>Learns from a stream of characters, read in parts that end behind a line where there are lines.</summary>
    /// <inheritdoc cref="Learn(IEnumerable{string}, int, CancellationToken)"/>
    public static LearnedVocabulary Learn(TextReader reader, int vocabularySize, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(reader);
        return Learn(Parts(reader), vocabularySize, cancellation);
    }

    private static IEnumerable<string> Parts(TextReader reader)
    {
        var buffer = new char[1 << 20];
        int kept = 0;
        for (int read; (read = reader.Read(buffer, kept, buffer.Length - kept)) > 0;)
        {
            int filled = kept + read;
            int end = buffer.AsSpan(0, filled).LastIndexOf('\n') + 1;
            if (end == 0 && filled < buffer.Length)
            {
                kept = filled;
                continue;
            }

            if (end == 0)
                end = char.IsHighSurrogate(buffer[filled - 1]) ? filled - 1 : filled;
            yield return new string(buffer, 0, end);
            buffer.AsSpan(end, filled - end).CopyTo(buffer);
            kept = filled - end;
        }

        if (kept > 0)
            yield return new string(buffer, 0, kept);
    }

    private void AddBytes()
    {
        for (int value = 0; value < Bytes; value++)
            AddToken(ByteAlphabet.ToChar((byte)value).ToString());
    }

    private int AddToken(string text)
    {
        _tokenIds.Add(text, _tokens.Count);
        _tokens.Add(text);
        return _tokens.Count - 1;
    }

    private void CountWords(IEnumerable<string> texts, CancellationToken cancellation)
    {
        var counts = new Dictionary<string, long>(StringComparer.Ordinal);
        Dictionary<string, long>.AlternateLookup<ReadOnlySpan<char>> bySpan = counts.GetAlternateLookup<ReadOnlySpan<char>>();
        var splitter = new Gpt2(digitsAlone: false);
        var ends = new IntList();
        foreach (string text in texts)
        {
            cancellation.ThrowIfCancellationRequested();
            ends.Clear();
            splitter.Split(text, ends);
            int start = 0;
            foreach (int end in ends.Span)
            {
                for (; end - start > LongestWord; start += LongestWord)
                    CollectionsMarshal.GetValueRefOrAddDefault(bySpan, text.AsSpan(start, LongestWord), out _)++;
                CollectionsMarshal.GetValueRefOrAddDefault(bySpan, text.AsSpan(start, end - start), out _)++;
                start = end;
            }
        }

        // In the order of their text, so that nothing later can depend on the order of the input.
        foreach ((string word, long count) in counts.OrderBy(entry => entry.Key, StringComparer.Ordinal))
            AddWord(word, count);
    }

    private void AddWord(string word, long count)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(word);
        if (bytes.Length < 2)
            return;
        _words.Add(Array.ConvertAll(bytes, value => (int)value));
        _lengths.Add(bytes.Length);
        _frequencies.Add(count);
    }

    private void CountPairs()
    {
        for (int word = 0; word < _words.Count; word++)
        {
            int[] ids = _words[word];
            for (int i = 0; i + 1 < ids.Length; i++)
                Change(ids[i], ids[i + 1], _frequencies[word], word);
        }

        _changed.Clear();
        for (int pair = 0; pair < _pairs.Count; pair++)
        {
            _pairs[pair].Listed = false;
            Enqueue(pair);
        }
    }

    private void LearnMerges(int wanted, CancellationToken cancellation)
    {
        while (_tokens.Count < wanted && _queue.TryDequeue(out int index, out Candidate candidate))
        {
            cancellation.ThrowIfCancellationRequested();
            Pair pair = _pairs[index];
            if (pair.Count != candidate.Count)
            {
                // Less frequent than when it was queued: queue it again where it belongs now.
                Enqueue(index);
                continue;
            }

            string text = _tokens[pair.Left] + _tokens[pair.Right];
            _merges.Add($"{_tokens[pair.Left]} {_tokens[pair.Right]}");
            if (!_tokenIds.TryGetValue(text, out int result))
                result = AddToken(text);
            foreach (int word in pair.Words)
                MergeIn(word, pair, result);
            pair.Count = 0;
            pair.Words = [];
            foreach (int changed in _changed)
            {
                _pairs[changed].Listed = false;
                Enqueue(changed);
            }

            _changed.Clear();
        }
    }

    /// <summary>Replaces the pair in one word and keeps all counts right.</summary>
    private void MergeIn(int word, Pair pair, int result)
    {
        int[] ids = _words[word];
        int length = _lengths[word];
        long frequency = _frequencies[word];
        int written = 0;
        for (int read = 0; read < length; read++)
        {
            if (read + 1 == length || ids[read] != pair.Left || ids[read + 1] != pair.Right)
            {
                ids[written++] = ids[read];
                continue;
            }

            if (written > 0)
            {
                Change(ids[written - 1], pair.Left, -frequency, word);
                Change(ids[written - 1], result, frequency, word);
            }

            if (read + 2 < length)
            {
                Change(pair.Right, ids[read + 2], -frequency, word);
                Change(result, ids[read + 2], frequency, word);
            }

            ids[written++] = result;
            read++;
        }

        _lengths[word] = written;
    }

    private void Change(int left, int right, long by, int word)
    {
        ref int slot = ref CollectionsMarshal.GetValueRefOrAddDefault(
            _pairIndex, ((ulong)(uint)left << 32) | (uint)right, out bool exists);
        if (!exists)
        {
            slot = _pairs.Count;
            _pairs.Add(new Pair(left, right));
        }

        Pair pair = _pairs[slot];
        pair.Count += by;
        if (by <= 0)
            return;
        if (pair.Words.Count == 0 || pair.Words[^1] != word)
            pair.Words.Add(word);
        if (pair.Listed)
            return;
        pair.Listed = true;
        _changed.Add(slot);
    }

    private void Enqueue(int index)
    {
        Pair pair = _pairs[index];
        if (pair.Count > 1)
            _queue.Enqueue(index, new Candidate(pair.Count, pair.Left, pair.Right));
    }

    private sealed class Pair(int left, int right)
    {
        public readonly int Left = left;
        public readonly int Right = right;
        public long Count;
        public List<int> Words = []; // words it came up in, some more than once; it may be gone from them
        public bool Listed;
    }

    /// <summary>Sorts the most frequent pair first, then the lower ids.</summary>
    private readonly record struct Candidate(long Count, int Left, int Right) : IComparable<Candidate>
    {
        public int CompareTo(Candidate other)
        {
            int order = other.Count.CompareTo(Count);
            if (order == 0)
                order = Left.CompareTo(other.Left);
            return order != 0 ? order : Right.CompareTo(other.Right);
        }
    }
}
