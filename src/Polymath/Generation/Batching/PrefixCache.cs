using Polymath.Models.Layers;

namespace Polymath.Generation.Batching;

/// <summary>
/// Beginnings of texts whose keys and values are still there: a tree of pages, each under the one before it. A text that
/// begins with the same tokens takes the pages over. The pages that were not used for longest go first when room is
/// needed. One thread at a time.
/// </summary>
internal sealed class PrefixCache(KvPool pool)
{
    private const int Fewest = 16;   // tokens of a part of a page that are worth a copy

    private readonly Node _root = new([], [], null);
    private readonly List<Node> _nodes = [];
    private long _clock;

    /// <summary>
    /// Finds the longest beginning of <paramref name="ids"/> that is there. For each group of layers the pages are written
    /// to <paramref name="pages"/>; those are only certain to stay until the next call of <see cref="Evict"/>.
    /// </summary>
    /// <returns>Tokens of it.</returns>
    public int Find(ReadOnlySpan<int> ids, int[][] pages)
    {
        var path = new List<Node>();
        Node node = _root;
        int tokens = 0;
        while (tokens < ids.Length)
        {
            Node? next = node.Longest(ids[tokens..], out int common);
            if (next is null || (common < Math.Min(Fewest, KvPool.PageLength) && common < ids.Length - tokens))
                break;
            path.Add(next);
            next.Used = ++_clock;
            tokens += common;
            node = next;
            if (common < KvPool.PageLength)
                break;
        }

        return Fill(path, Math.Min(tokens, ids.Length), pages);
    }

    /// <summary>Keeps the pages of a text whose first tokens are <paramref name="ids"/>; the last one also if it is not full.</summary>
    public void Add(ReadOnlySpan<int> ids, KvCache cache)
    {
        Node node = _root;
        for (int from = 0; from < ids.Length; from += KvPool.PageLength)
        {
            ReadOnlySpan<int> tokens = ids.Slice(from, Math.Min(KvPool.PageLength, ids.Length - from));
            Node? next = node.Longest(tokens, out int common);
            bool known = next is not null && common == tokens.Length;
            if (!known)
            {
                next = new Node(tokens.ToArray(), Hold(cache, from / KvPool.PageLength), node);
                node.Children.Add(next);
                _nodes.Add(next);
            }

            node = next!;
            node.Used = ++_clock;
            if (tokens.Length < KvPool.PageLength)
                return;
        }
    }

    /// <summary>Lets go of beginnings until <paramref name="free"/> pages are free, or none is left that would free one.</summary>
    public bool Evict(int free)
    {
        while (pool.FreePages < free)
        {
            Node? oldest = null;
            foreach (Node node in _nodes)
            {
                if (node.Children.Count == 0 && (oldest is null || node.Used < oldest.Used) && FreesSomething(node))
                    oldest = node;
            }

            if (oldest is null)
                return false;
            Remove(oldest);
        }

        return true;
    }

    private int[] Hold(KvCache cache, int index)
    {
        var pages = new int[pool.Groups.Length];
        for (int group = 0; group < pages.Length; group++)
        {
            pages[group] = cache.PagesOfGroup(group)[index];
            if (pages[group] >= 0)
                pool.Groups[group].Share(pages[group]);
        }

        return pages;
    }

    private void Remove(Node node)
    {
        for (int group = 0; group < node.Pages.Length; group++)
        {
            if (node.Pages[group] >= 0)
                pool.Groups[group].Release(node.Pages[group]);
        }

        node.Parent!.Children.Remove(node);
        _nodes.Remove(node);
    }

    private bool FreesSomething(Node node)
    {
        for (int group = 0; group < node.Pages.Length; group++)
        {
            if (node.Pages[group] >= 0 && pool.Groups[group].Uses(node.Pages[group]) == 1)
                return true;
        }

        return false;
    }

    /// <summary>Lays out the pages of as many tokens as all windows are there for.</summary>
    private int Fill(List<Node> path, int tokens, int[][] pages)
    {
        while (tokens > 0 && !HasWindows(path, tokens))
            tokens = (tokens - 1) / KvPool.PageLength * KvPool.PageLength;
        int count = (tokens + KvPool.PageLength - 1) / KvPool.PageLength;
        for (int group = 0; group < pages.Length; group++)
        {
            int first = FirstSeen(group, tokens);
            for (int i = 0; i < count; i++)
                pages[group][i] = i < first ? -1 : path[i].Pages[group];
        }

        return tokens;
    }

    private bool HasWindows(List<Node> path, int tokens)
    {
        for (int group = 0; group < pool.Groups.Length; group++)
        {
            for (int i = FirstSeen(group, tokens); i * KvPool.PageLength < tokens; i++)
            {
                if (path[i].Pages[group] < 0)
                    return false;
            }
        }

        return true;
    }

    /// <summary>The first page that the token after <paramref name="tokens"/> others sees.</summary>
    private int FirstSeen(int group, int tokens)
    {
        int window = pool.Groups[group].Window;
        return window == 0 ? 0 : Math.Max(0, tokens + 1 - window) / KvPool.PageLength;
    }

    private sealed class Node(int[] tokens, int[] pages, Node? parent)
    {
        public int[] Pages => pages;   // of each group; −1 where it was not held any more

        public Node? Parent => parent;

        public List<Node> Children { get; } = [];

        public long Used { get; set; }

        /// <summary>The child that has most tokens in common with the beginning of <paramref name="ids"/>.</summary>
        public Node? Longest(ReadOnlySpan<int> ids, out int common)
        {
            Node? best = null;
            common = 0;
            foreach (Node child in Children)
            {
                int length = child.CommonWith(ids);
                if (length > common)
                    (best, common) = (child, length);
            }

            return best;
        }

        private int CommonWith(ReadOnlySpan<int> ids) => tokens.AsSpan().CommonPrefixLength(ids);
    }
}
