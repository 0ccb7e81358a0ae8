using Polymath.Files;
using Polymath.Text;

namespace Polymath.Models;

/// <summary>Texts, and pairs of query and document, as the ids an encoder was trained on.</summary>
internal sealed class TextPreparation
{
    private const string TemplateKey = "tokenizer.chat_template.rerank";
    private const string QueryMark = "{query}", DocumentMark = "{document}";

    private readonly Tokenizer _tokenizer;
    private readonly string? _template;
    private readonly string _path;
    private readonly int _maxTokens;
    private readonly bool _cut;

    public TextPreparation(HiddenStates states, int maxTokens, bool cut)
    {
        _tokenizer = states.Tokenizer;
        _template = states.Source.Metadata.GetString(TemplateKey);
        _path = states.Source.Path;
        _maxTokens = maxTokens;
        _cut = cut;
        if (_template is not null && !(Count(QueryMark) == 1 && Count(DocumentMark) == 1))
            throw new ModelFormatException($"{_path}: {TemplateKey} does not hold {QueryMark} and {DocumentMark} once each");
    }

    /// <summary>A text with the special tokens around it; where it is too long, its last words go, not the end token.</summary>
    public EncodedText Encode(string text)
    {
        int[] ids = _tokenizer.Encode(text);
        int over = ids.Length - _maxTokens;
        if (over <= 0)
            return new EncodedText(ids, 0);
        int tail = _tokenizer is { AddsEnd: true, EndId: not null } ? 1 : 0;
        Refuse(ids.Length, ids.Length - over - tail);
        return new EncodedText([.. ids[..(_maxTokens - tail)], .. ids[^tail..]], over);
    }

    /// <summary>
    /// A query and a document: as the model's own template says, else [CLS] q [SEP] d [SEP], or &lt;s&gt; q &lt;/s&gt;&lt;/s&gt; d
    /// &lt;/s&gt; in the RoBERTa family. Where they are too long, the document's last words go.
    /// </summary>
    public EncodedText EncodePair(string query, string document) =>
        _template is null ? Separated(query, document) : Templated(query, document);

    private EncodedText Separated(string query, string document)
    {
        if (_tokenizer.EndId is not { } end)
            throw new ModelFormatException($"{_path}: the vocabulary has no token to stand between a query and a document");
        bool twice = _tokenizer.TokenText(end) == "</s>";
        int[] begin = _tokenizer is { AddsBegin: true, BeginId: { } id } ? [id] : [];
        int[] between = twice ? [end, end] : [end];
        return Join([.. begin, .. Plain(query), .. between], Plain(document), [end]);
    }

    private EncodedText Templated(string query, string document)
    {
        // The marks and tokens of the template count, those that a text contains do not.
        int at = _template!.IndexOf(DocumentMark, StringComparison.Ordinal);
        string before = _template[..at], after = _template[(at + DocumentMark.Length)..];
        if (!HasSpecials(query) && !HasSpecials(document))
        {
            int[] whole = Special(Fill(before, query) + document + Fill(after, query));
            if (whole.Length <= _maxTokens)
                return new EncodedText(whole, 0);
        }

        return Join(Pieces(before, query), Plain(document), Pieces(after, query));
    }

    private EncodedText Join(int[] head, int[] document, int[] tail)
    {
        int room = _maxTokens - head.Length - tail.Length, over = Math.Max(0, document.Length - room);
        if (over > 0)
            Refuse(head.Length + document.Length + tail.Length, room);
        return new EncodedText([.. head, .. document[..(document.Length - over)], .. tail], over);
    }

    private void Refuse(int tokens, int room)
    {
        if (!_cut || room < 0)
            throw new ArgumentException($"a text of {tokens} tokens; the model takes {_maxTokens}");
    }

    private int[] Pieces(string template, string query)
    {
        int at = template.IndexOf(QueryMark, StringComparison.Ordinal);
        return at < 0 ? Special(template) : [.. Special(template[..at]), .. Plain(query), .. Special(template[(at + QueryMark.Length)..])];
    }

    private static string Fill(string template, string query) => template.Replace(QueryMark, query, StringComparison.Ordinal);

    private int[] Plain(string text) => _tokenizer.Encode(text, addSpecial: false);

    private int[] Special(string text) => _tokenizer.Encode(text, addSpecial: false, parseSpecial: true);

    private bool HasSpecials(string text) => Array.Exists(Special(text), _tokenizer.IsSpecial);

    private int Count(string mark) => _template!.Split(mark).Length - 1;
}
