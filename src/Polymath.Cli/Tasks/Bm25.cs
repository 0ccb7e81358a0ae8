namespace Polymath.Cli.Tasks;

/// <summary>
/// Ranks passages by the words they share with a question (Robertson and Zaragoza 2009, "The Probabilistic Relevance
/// Framework: BM25 and Beyond"), k₁ = 1.2, b = 0.75. Words are runs of letters and digits, without case.
/// </summary>
internal sealed class Bm25
{
    private const double K1 = 1.2, B = 0.75;

    private readonly List<Dictionary<string, int>> _counts = [];
    private readonly List<int> _lengths = [];
    private readonly Dictionary<string, int> _passagesWith = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>Takes the passages.</summary>
    public Bm25(IEnumerable<string> passages)
    {
        foreach (string passage in passages)
        {
            var counts = new Dictionary<string, int>(StringComparer.OrdinalIgnoreCase);
            int length = 0;
            foreach (string word in Words(passage))
            {
                counts[word] = counts.GetValueOrDefault(word) + 1;
                length++;
            }

            foreach (string word in counts.Keys)
                _passagesWith[word] = _passagesWith.GetValueOrDefault(word) + 1;
            _counts.Add(counts);
            _lengths.Add(length);
        }
    }

    /// <summary>Indices of the passages, the best first; of equals the earlier.</summary>
    public int[] Rank(string question)
    {
        string[] words = [.. Words(question).Distinct(StringComparer.OrdinalIgnoreCase)];
        double mean = Math.Max(1, _lengths.DefaultIfEmpty().Average());
        double[] scores = [.. Enumerable.Range(0, _counts.Count).Select(i => words.Sum(word => Score(word, i, mean)))];
        return [.. Enumerable.Range(0, scores.Length).OrderByDescending(i => scores[i]).ThenBy(i => i)];
    }

    private double Score(string word, int passage, double mean)
    {
        int count = _counts[passage].GetValueOrDefault(word);
        if (count == 0)
            return 0;
        int with = _passagesWith[word];
        double rarity = Math.Log(1 + ((_counts.Count - with + 0.5) / (with + 0.5)));
        return rarity * count * (K1 + 1) / (count + (K1 * (1 - B + (B * _lengths[passage] / mean))));
    }

    private static IEnumerable<string> Words(string text)
    {
        for (int from = 0; from < text.Length;)
        {
            int end = from;
            while (end < text.Length && char.IsLetterOrDigit(text[end]))
                end++;
            if (end > from)
                yield return text[from..end];
            from = end + 1;
        }
    }
}
