using System.Text;

namespace Polymath.Text.Templates;

/// <summary>One rendering: what it has used of its limits, its text so far, and the statements. Used once.</summary>
internal sealed partial class Evaluator
{
    /// <summary>Steps between two looks at the clock.</summary>
    private const int ClockSteps = 512;

    /// <summary>Statements and expressions inside each other over all macros, so that no stack can overflow.</summary>
    private const int MostFrames = 1500;

    private readonly string _source;
    private readonly TemplateLimits _limits;
    private readonly long _started;
    private readonly bool _showsLoop;
    private readonly CancellationToken _cancellation;
    private readonly StringBuilder _output = new();
    private long _steps, _nextClock = ClockSteps, _valueBytes;
    private int _frames, _calls;
    private int _position;

    /// <param name="source">The template's source, for the places of errors.</param>
    /// <param name="showsLoop">Whether the template reads the variable loop.</param>
    /// <param name="limits">What may be used.</param>
    /// <param name="clock">Date and time.</param>
    /// <param name="cancellation">Stops the rendering.</param>
    public Evaluator(string source, bool showsLoop, TemplateLimits limits, TimeProvider clock, CancellationToken cancellation)
    {
        _source = source;
        _showsLoop = showsLoop;
        _limits = limits;
        _cancellation = cancellation;
        Clock = clock;
        _started = clock.GetTimestamp();
    }

    private enum Flow
    {
        Next,
        Break,
        Continue,
    }

    /// <summary>Where the time comes from.</summary>
    public TimeProvider Clock { get; }

    /// <summary>Most values inside each other.</summary>
    public int Nesting => _limits.Nesting;

    public string Render(Node[] body, IReadOnlyDictionary<string, TemplateValue> variables)
    {
        var globals = new Scope(null);
        Globals.Define(globals);
        foreach ((string name, TemplateValue value) in variables)
            globals.Set(name, value);
        if (Run(body, globals) != Flow.Next)
            throw Fail("break or continue outside of a loop");
        string text = _output.ToString();
        return Encoding.UTF8.GetByteCount(text) <= _limits.OutputBytes ? text : throw TooLong();
    }

    /// <summary>Counts a step, and more for work on many characters or items.</summary>
    public void Work(long units)
    {
        _steps += 1 + (units >> 8);
        if (_steps >= _nextClock)
            LookAtClock();
    }

    /// <summary>Counts what a text about to be made takes.</summary>
    public void MakeText(long length)
    {
        Work(length);
        Make(32 + (2 * length));
    }

    /// <summary>Counts what a list or map about to be made takes.</summary>
    public void MakeItems(long count)
    {
        Work(count << 4);
        Make(64 + (48 * count));
    }

    public StringValue Text(string text)
    {
        MakeText(text.Length);
        return new StringValue(text);
    }

    public ListValue List(List<TemplateValue> items)
    {
        MakeItems(items.Count);
        return new ListValue(items);
    }

    /// <summary>An error at the place that is being evaluated.</summary>
    public TemplateException Fail(string message) => new(message, _source, _position);

    /// <summary>The error of a template that refuses the conversation.</summary>
    public TemplateException Raise(string message) => new(message, _source, _position, raised: true);

    private void Make(long bytes)
    {
        _valueBytes += bytes;
        if (_valueBytes > _limits.ValueBytes)
            throw Fail($"the values take more than {_limits.ValueBytes} bytes");
    }

    private void LookAtClock()
    {
        _cancellation.ThrowIfCancellationRequested();
        if (_steps > _limits.Steps)
            throw Fail($"more than {_limits.Steps} steps");
        if (Clock.GetElapsedTime(_started) > _limits.Time)
            throw Fail($"longer than {_limits.Time.TotalMilliseconds:0} ms");
        _nextClock = Math.Min(_steps + ClockSteps, _limits.Steps + 1);
    }

    private TemplateException TooLong() => Fail($"the text takes more than {_limits.OutputBytes} bytes");

    private void Enter(int position)
    {
        _position = position;
        Work(0);
        if (++_frames > MostFrames || !System.Runtime.CompilerServices.RuntimeHelpers.TryEnsureSufficientExecutionStack())
            throw Fail("too many levels of nesting");
    }

    private void Write(ReadOnlySpan<char> text)
    {
        Work(text.Length);
        if (_output.Length + (long)text.Length > _limits.OutputBytes)
            throw TooLong();
        _output.Append(text);
    }

    /// <summary>What a block writes, as a value.</summary>
    private StringValue Capture(Node[] body, Scope scope)
    {
        int start = _output.Length;
        if (Run(body, scope) != Flow.Next)
            throw Fail("break or continue outside of a loop");
        MakeText(_output.Length - start);
        string text = _output.ToString(start, _output.Length - start);
        _output.Length = start;
        return new StringValue(text);
    }

    private Flow Run(Node[] body, Scope scope)
    {
        foreach (Node node in body)
        {
            Enter(node.Position);
            Flow flow = Run(node, scope);
            _frames--;
            if (flow != Flow.Next)
                return flow;
        }

        return Flow.Next;
    }

    private Flow Run(Node node, Scope scope)
    {
        switch (node)
        {
            case TextNode text:
                Write(text.Text);
                break;
            case OutputNode output:
                Show(Evaluate(output.Value, scope));
                break;
            case DoNode run:
                Evaluate(run.Value, scope);
                break;
            case SetNode set:
                Set(set, scope);
                break;
            case IfNode branches:
                return If(branches, scope);
            case ForNode loop:
                return For(loop, scope);
            case JumpNode jump:
                return jump.IsBreak ? Flow.Break : Flow.Continue;
            case MacroNode macro:
                scope.Set(macro.Callable.Name, Macro(macro.Callable, null));
                break;
            case CallBlockNode block:
                CallBlock(block, scope);
                break;
            case FilterBlockNode block:
                Show(Filtered(Capture(block.Body, scope), block.Filters, scope));
                break;
            case WithNode with:
                var inner = new Scope(scope);
                foreach ((string name, Expression value) in with.Variables)
                    inner.Set(name, Evaluate(value, scope));
                return Run(with.Body, inner);
            default:
                throw Fail("an unknown statement");
        }

        return Flow.Next;
    }

    private void Show(TemplateValue value)
    {
        switch (value)
        {
            case StringValue text:
                Write(text.Value);
                break;
            case UndefinedValue or NullValue:
                break;
            default:
                Write(ValueText.ToText(this, value));
                break;
        }
    }

    private Flow If(IfNode node, Scope scope)
    {
        foreach ((Expression? condition, Node[] body) in node.Branches)
        {
            if (condition is null || Evaluate(condition, scope).IsTrue)
                return Run(body, scope);
        }

        return Flow.Next;
    }

    private Flow For(ForNode node, Scope outer)
    {
        var scope = new Scope(outer);
        List<TemplateValue> items = Evaluate(node.Items, scope) switch
        {
            ListValue list => list.Items,
            MapValue map => List(map.Keys()).Items,
            var other => throw Fail($"cannot loop over {ValueText.Name(other)}"),
        };
        if (node.Condition is not null)
            items = Chosen(node, items, scope);
        var loop = new Loop(items, _calls);
        bool ran = false;
        for (; loop.Index < items.Count; loop.Index++)
        {
            Work(0);
            if (_showsLoop)
            {
                MakeItems(Loop.Size);
                scope.Set("loop", loop.Value);
            }

            Bind(node, items[loop.Index], scope);
            int start = _output.Length;
            Flow flow = Run(node.Body, scope);
            // As in the reference, a pass that is left early shows nothing and does not count for the else.
            if (flow != Flow.Next)
                _output.Length = start;
            else
                ran = true;
            if (flow == Flow.Break)
                break;
        }

        return ran ? Flow.Next : Run(node.Otherwise, scope);
    }

    private List<TemplateValue> Chosen(ForNode node, List<TemplateValue> items, Scope scope)
    {
        var chosen = new List<TemplateValue>();
        foreach (TemplateValue item in items)
        {
            var inner = new Scope(scope);
            Bind(node, item, inner);
            if (Evaluate(node.Condition!, inner).IsTrue)
                chosen.Add(item);
        }

        return List(chosen).Items;
    }

    private void Bind(ForNode node, TemplateValue item, Scope scope)
    {
        if (node.Unpacks)
            Unpack(node.Targets, item, scope);
        else
            scope.Set(node.Targets[0], item);
    }

    private void Unpack(ReadOnlySpan<string> names, TemplateValue value, Scope scope)
    {
        if (value is not ListValue list)
            throw Fail($"cannot unpack {ValueText.Name(value)}");
        if (list.Items.Count != names.Length)
            throw Fail($"{list.Items.Count} items cannot be unpacked into {names.Length} names");
        for (int i = 0; i < names.Length; i++)
            scope.Set(names[i], list.Items[i]);
    }

    private void Set(SetNode node, Scope scope)
    {
        TemplateValue value = node.Value is null ? Filtered(Capture(node.Body, scope), node.Filters, scope) : Evaluate(node.Value, scope);
        switch (node.Target)
        {
            case NameNode name:
                scope.Set(name.Name, value);
                break;
            case ListNode list:
                string[] names = [.. list.Items.Select(item => item is NameNode name ? name.Name : throw Fail("cannot unpack into a member"))];
                Unpack(names, value, scope);
                break;
            case MemberNode member when Evaluate(member.Target, scope) is NamespaceValue target:
                MakeItems(1);
                target.Entries[member.Name] = value;
                break;
            default:
                throw Fail("only members of a namespace can be set");
        }
    }

    private TemplateValue Filtered(TemplateValue value, FilterNode[] filters, Scope scope)
    {
        foreach (FilterNode filter in filters)
        {
            _position = filter.Position;
            value = Filters.Apply(this, filter.Name, value, Arguments(filter.Arguments, scope));
        }

        return value;
    }

    private void CallBlock(CallBlockNode node, Scope scope)
    {
        Arguments arguments = Arguments(node.Call.Arguments, scope);
        var inner = new Scope(scope);
        inner.Set("caller", Macro(node.Caller, scope));
        if (Evaluate(node.Call.Callee, scope) is not FunctionValue function)
            throw Fail("only a macro can be called");
        Show(Call(function, arguments, inner));
    }
}
