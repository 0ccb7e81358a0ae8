using System.Buffers;
using System.Text;
using Polymath.Text;

namespace Polymath.Chat;

/// <summary>
/// Keeps what people say from being read as control tokens. In their texts, whatever is written like a control token is
/// put between two noncharacters; the template carries them along; and what stands between them is tokenised as plain
/// text. Everything else of a rendered prompt is the template's, whose control tokens count.
/// </summary>
internal sealed class QuotedText
{
    private const char Open = '\uFDD0', Close = '\uFDD1';   // noncharacters: for use inside of programs alone
    private const int LeastLength = 3;

    private readonly Tokenizer _tokenizer;
    private readonly SearchValues<string> _controls;
    private readonly string[] _longestFirst;

    public QuotedText(Tokenizer tokenizer)
    {
        _tokenizer = tokenizer;
        _longestFirst = [.. Enumerable.Range(0, tokenizer.VocabularySize).Where(tokenizer.IsSpecial).Select(tokenizer.TokenText)
            .Where(text => text.Length >= LeastLength).Distinct().OrderByDescending(text => text.Length)];
        _controls = SearchValues.Create(_longestFirst, StringComparison.Ordinal);
    }

    /// <summary>The text with what looks like a control token marked.</summary>
    public string Quote(string text)
    {
        if (text.AsSpan().ContainsAny(Open, Close))
            text = text.Replace(Open.ToString(), "", StringComparison.Ordinal).Replace(Close.ToString(), "", StringComparison.Ordinal);
        ReadOnlySpan<char> rest = text;
        int at = rest.IndexOfAny(_controls);
        if (at < 0)
            return text;
        var quoted = new StringBuilder(text.Length + 16);
        for (; at >= 0; at = rest.IndexOfAny(_controls))
        {
            int length = LengthAt(rest[at..]);
            quoted.Append(rest[..at]).Append(Open).Append(rest.Slice(at, length)).Append(Close);
            rest = rest[(at + length)..];
        }

        return quoted.Append(rest).ToString();
    }

    /// <summary>The ids of a rendered prompt. A begin token comes first where the vocabulary wants one and the template wrote none.</summary>
    public int[] Encode(string prompt)
    {
        bool begun = _tokenizer.BeginId is { } begin && prompt.StartsWith(_tokenizer.TokenText(begin), StringComparison.Ordinal);
        if (!prompt.AsSpan().ContainsAny(Open, Close))
            return WithoutEnd(_tokenizer.Encode(prompt, addSpecial: !begun, parseSpecial: true), !begun);
        var ids = new List<int>();
        bool first = true;
        foreach (string part in prompt.Split(Open))
        {
            int close = part.IndexOf(Close, StringComparison.Ordinal);
            if (close > 0)
                ids.AddRange(_tokenizer.Encode(part.AsSpan(0, close), addSpecial: false, parseSpecial: false));
            string plain = part[(close + 1)..].Replace(Close.ToString(), "", StringComparison.Ordinal);
            if (plain.Length > 0 || (first && !begun))
                ids.AddRange(WithoutEnd(_tokenizer.Encode(plain, addSpecial: first && !begun, parseSpecial: true), first && !begun));
            first = false;
        }

        return [.. ids];
    }

    /// <summary>A prompt goes on: the end token that some vocabularies add to a text is not wanted.</summary>
    private int[] WithoutEnd(int[] ids, bool special) =>
        special && _tokenizer.AddsEnd && ids.Length > 0 && ids[^1] == _tokenizer.EndId ? ids[..^1] : ids;

    private int LengthAt(ReadOnlySpan<char> text)
    {
        foreach (string control in _longestFirst)
        {
            if (text.StartsWith(control))
                return control.Length;
        }

        return 1;
    }
}
